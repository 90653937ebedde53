package wiregen_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	filesapi "github.com/insulahq/insula/modules/files/api"
)

// What the tests of the whole house must know about shares of files.
var _ = show(exhibit{
	permissions: map[string]string{
		"files.shares.create": workers, "files.shares.list": staff, "files.shares.open": everybody, "files.shares.revoke": workers,
	},
	done: map[string]deed{
		"files.shares.create": {func(t *testing.T, n *tenant) *response {
			w := n.as().post(t, "/v1/files/"+n.fileID(t, "a.txt", "hello")+"/shares", newShare)
			n.secrets.add(tokenOf(t, decode[filesapi.CreatedFileShare](t, w, http.StatusCreated)))
			return w
		}, "file"},
		"files.shares.open": {func(t *testing.T, n *tenant) *response {
			return n.stranger().get(t, linkOf(t, n.share(t)))
		}, "share"},
		"files.shares.revoke": {func(t *testing.T, n *tenant) *response {
			return n.as().call(t, "DELETE", "/v1/shares/"+n.share(t).ID.String(), "")
		}, "share"},
	},
	failed: map[string]attempt{
		"files.shares.create": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.file(t)+"/shares", newShare)
		}, "files.not_ready", true},
		"files.shares.open": {func(t *testing.T, n *tenant) *response {
			return n.stranger().get(t, "/v1/shares/content?token="+n.wrong("a-made-up-token"))
		}, "files.share_not_found", false},
		"files.shares.revoke": {func(t *testing.T, n *tenant) *response {
			return n.as().call(t, "DELETE", "/v1/shares/"+someID(), "")
		}, "files.share_not_found", true},
	},
	bodies: map[string]string{"files.shares.create": newShare},
	kind:   "share",
	thing:  func(t *testing.T, n *tenant) string { return n.share(t).ID.String() },
})

const newShare = `{"expires_in":3600,"single_use":true}`

// share makes a link to a new file.
func (n *tenant) share(t *testing.T) filesapi.CreatedFileShare {
	t.Helper()
	w := n.as().post(t, "/v1/files/"+n.fileID(t, "shared.txt", "hello")+"/shares", newShare)
	s := decode[filesapi.CreatedFileShare](t, w, http.StatusCreated)
	n.secrets.add(tokenOf(t, s))
	return s
}

// linkOf is the address in the link, on this house.
func linkOf(t *testing.T, s filesapi.CreatedFileShare) string {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.RequestURI()
}

func tokenOf(t *testing.T, s filesapi.CreatedFileShare) string {
	t.Helper()
	u, err := url.Parse(linkOf(t, s))
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("token")
}

// TestALinkSaysWhoseItIs: who follows it needs no header and no account, and
// it opens nothing in another tenant.
func TestALinkSaysWhoseItIs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a, b := h.tenant(t), h.tenant(t)
	link := linkOf(t, a.share(t))
	nobody := h.bearer("").with("Authorization", "")
	elsewhere := strings.Replace(link, "tenant="+a.slug, "tenant="+b.slug, 1)
	refused(t, nobody.get(t, elsewhere), http.StatusNotFound, "files.share_not_found")
	refused(t, nobody.get(t, strings.Replace(link, "tenant="+a.slug, "tenant=nowhere", 1)), http.StatusNotFound, "tenant_unknown")
	refused(t, nobody.get(t, strings.Replace(link, "tenant="+a.slug+"&", "", 1)), http.StatusBadRequest, "tenant_required")
	refused(t, nobody.with("X-Tenant", b.slug).get(t, link), http.StatusBadRequest, "tenant_ambiguous")
	for range 2 { // HEAD does not use it up
		if w := nobody.call(t, "HEAD", link, ""); w.Code != http.StatusOK || w.Header().Get("Content-Length") != "5" {
			t.Errorf("HEAD: %d %v", w.Code, w.Header())
		}
	}
	if w := nobody.get(t, link); w.Code != http.StatusOK || w.Body.String() != "hello" || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	refused(t, nobody.get(t, link), http.StatusNotFound, "files.share_not_found")
	a.keepsNoSecrets(t)
	b.keepsNoSecrets(t)
}

// TestNobodySharesWhatTheyCannotRead: the permission to make links is not one
// to read. Who has it shares their own files, and those of others once they may
// read them.
func TestNobodySharesWhatTheyCannotRead(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	n.makeRole(t, "sharer", []string{"files.shares.create", "files.create", "files.upload"})
	n.makeRole(t, "reader", []string{"files.download"})
	sharer, both := n.user(t, "sharer"), n.user(t, "sharer", "reader")
	path := "/v1/files/" + n.fileID(t, "a.txt", "hello")
	w := n.who(sharer).post(t, path+"/shares", newShare)
	refused(t, w, http.StatusForbidden, "files.not_shared")
	for _, e := range n.records(t, w) {
		if e.Operation != "files.shares.create" || e.Outcome != "failed" || e.Code != "files.not_shared" || e.Target == nil || "/v1/files/"+e.Target.ID != path {
			t.Errorf("recorded %+v", e)
		}
	}
	refused(t, n.who(sharer).get(t, path+"/content"), http.StatusForbidden, "forbidden")
	decode[filesapi.CreatedFileShare](t, n.who(both).post(t, path+"/shares", newShare), http.StatusCreated)
	own := "/v1/files/" + decode[filesapi.File](t, n.who(sharer).post(t, "/v1/files", `{"name":"b.txt","size":5}`), http.StatusCreated).ID.String()
	decode[filesapi.File](t, n.who(sharer).call(t, "PUT", own+"/content", "hello"), http.StatusOK)
	decode[filesapi.CreatedFileShare](t, n.who(sharer).post(t, own+"/shares", newShare), http.StatusCreated)
}
