package filesmodule_test

import (
	"fmt"
	"net/http/httptest"
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

// TestASingleUseLinkIsUsedByContentAlone: neither asking whether it still is
// what one has, nor a program that looks first, nor a range that cannot be
// answered uses it up; and no sequence of ranges reads it twice.
func TestASingleUseLinkIsUsedByContentAlone(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	link := func(content string) (string, string) {
		made := decode[api.File](t, call(t, s, "POST", "/v1/files", fmt.Sprintf(`{"name":"a","size":%d}`, len(content))), 201)
		path := "/v1/files/" + made.ID.String()
		f := decode[api.File](t, call(t, s, "PUT", path+"/content", content), 200)
		share := decode[api.CreatedFileShare](t, call(t, s, "POST", path+"/shares", `{"expires_in":3600,"single_use":true}`), 201)
		return strings.TrimPrefix(share.URL, "https://insula.example"), `"` + f.SHA256 + `"`
	}
	follow := func(method, link string, header ...string) *httptest.ResponseRecorder {
		return call(t, s, method, link, "", append(header, "Authorization", "")...)
	}
	read, etag := link("hello")
	for range 2 {
		if w := follow("HEAD", read); w.Code != 200 || w.Header().Get("Accept-Ranges") != "none" {
			t.Errorf("HEAD: %d %v", w.Code, w.Header())
		}
		if w := follow("GET", read, "If-None-Match", etag); w.Code != 304 || w.Body.Len() != 0 {
			t.Errorf("if it is another: %d %s", w.Code, w.Body)
		}
	}
	if w := follow("GET", read, "Range", "bytes=1-1"); w.Code != 200 || w.Body.String() != "hello" {
		t.Errorf("a range is answered with the whole: %d %s", w.Code, w.Body)
	}
	for _, header := range [][]string{nil, {"Range", "bytes=2-"}, {"Range", "bytes=99-"}, {"If-None-Match", etag}} {
		if w := follow("GET", read, header...); w.Code != 404 {
			t.Errorf("once more, %v: %d %s", header, w.Code, w.Body)
		}
	}
	behind, _ := link("hello")
	if w := follow("GET", behind, "Range", "bytes=99-"); w.Code != 200 || w.Body.String() != "hello" {
		t.Errorf("a range behind the end: %d %s", w.Code, w.Body)
	}
	empty, _ := link("")
	if w := follow("GET", empty); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("an empty file: %d %s", w.Code, w.Body)
	}
	if w := follow("GET", empty); w.Code != 404 {
		t.Errorf("an empty file once more: %d", w.Code)
	}
}
