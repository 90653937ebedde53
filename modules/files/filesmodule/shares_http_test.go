package filesmodule_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/api"
	"github.com/insulahq/insula/platform/httpx"
)

func TestSharesOverHTTP(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	bring := func(name string) string {
		path := "/v1/files/" + decode[api.File](t, call(t, s, "POST", "/v1/files", `{"name":"`+name+`","size":5}`), 201).ID.String()
		decode[api.File](t, call(t, s, "PUT", path+"/content", "hello"), 200)
		return path
	}
	path, other := bring("grüße.txt"), bring("b")
	var made []api.CreatedFileShare
	for range 3 {
		w := call(t, s, "POST", path+"/shares", `{"expires_in":3600}`)
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Error("a cache may keep the address")
		}
		made = append(made, decode[api.CreatedFileShare](t, w, 201))
	}
	for _, body := range []string{`{}`, `{"expires_in":59}`, `{"expires_in":31622401}`} {
		decode[httpx.Problem](t, call(t, s, "POST", path+"/shares", body), 422)
	}
	link, found := strings.CutPrefix(made[0].URL, "https://insula.example")
	if u, err := url.Parse(link); !found || err != nil || u.Query().Get("tenant") == "" || len(u.Query().Get("token")) != 43 {
		t.Fatalf("address %q, %v", made[0].URL, err)
	}
	w := call(t, s, "GET", link, "", "Range", "bytes=1-2", "Authorization", "")
	if w.Code != 206 || w.Body.String() != "el" || w.Header().Get("Content-Disposition") != httpx.Attachment("grüße.txt") ||
		w.Header().Get("Cache-Control") != "private, no-store" {
		t.Errorf("read: %d %q %v", w.Code, w.Body, w.Header())
	}
	if w := call(t, s, "DELETE", "/v1/shares/"+made[1].ID.String(), ""); w.Code != 204 {
		t.Errorf("revoke: %d %s", w.Code, w.Body)
	}
	first := decode[httpx.List[api.FileShare]](t, call(t, s, "GET", path+"/shares?limit=2", ""), 200)
	rest := decode[httpx.List[api.FileShare]](t, call(t, s, "GET", path+"/shares?limit=2&cursor="+first.NextCursor, ""), 200)
	all := map[uuid.UUID]api.FileShare{}
	for _, one := range append(first.Items, rest.Items...) {
		all[one.ID] = one
	}
	if len(all) != 3 || all[made[0].ID].Opened != 1 || all[made[1].ID].State != "revoked" || all[made[1].ID].RevokedAt == nil || all[made[2].ID].State != "open" {
		t.Errorf("listed %+v", all)
	}
	if p := decode[httpx.Problem](t, call(t, s, "GET", other+"/shares?cursor="+first.NextCursor, ""), 422); p.Code != "invalid_cursor" {
		t.Errorf("cursor of another file: %s", p.Code)
	}
}
