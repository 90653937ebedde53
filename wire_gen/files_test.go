package wiregen_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	filesapi "github.com/insulahq/insula/modules/files/api"
	"github.com/insulahq/insula/platform/s3x/s3test"
	wiregen "github.com/insulahq/insula/wire_gen"
)

// What the tests of the whole house must know about files, beside what stands
// in their tables.
var _ = show(exhibit{
	permissions: map[string]string{
		"files.abort": workers, "files.clear": noRequest, "files.complete": workers, "files.examine": noRequest, "files.give_up": noRequest,
		"files.find": noRequest, "files.folders": staff, "files.lose": noRequest, "files.parts": workers, "files.purge": noRequest, "files.requeue": noRequest, "files.restore": workers,
		"files.sweep": noRequest, "files.undelete": workers, "files.update": workers, "files.usage": staff, "files.versions": staff,
	},
	done: map[string]deed{
		"files.parts": {func(t *testing.T, n *tenant) *response { return n.as().post(t, n.file(t)+"/parts", `{}`) }, "file"},
		"files.abort": {func(t *testing.T, n *tenant) *response { return n.as().post(t, n.file(t)+"/abort", "") }, "file"},
		"files.complete": {func(t *testing.T, n *tenant) *response {
			f := decode[filesapi.File](t, n.as().post(t, "/v1/files", `{"name":"b.txt","size":5}`), http.StatusCreated)
			follow(t, f.Upload.Link, "hello")
			return n.as().post(t, "/v1/files/"+f.ID.String()+"/complete", "")
		}, "file"},
		"files.update": {func(t *testing.T, n *tenant) *response {
			return n.as().with("If-Match", "*").call(t, "PATCH", n.file(t), `{"folder":"a/b"}`)
		}, "file"},
		"files.undelete": {func(t *testing.T, n *tenant) *response {
			path := "/v1/files/" + n.fileID(t, "a.txt", "hello")
			mustDo(t, n.as().with("If-Match", "*").call(t, "DELETE", path, ""))
			return n.as().post(t, path+"/undelete", "")
		}, "file"},
		"files.restore": {func(t *testing.T, n *tenant) *response {
			path := "/v1/files/" + n.fileID(t, "a.txt", "hello")
			n.fileID(t, "a.txt", "world")
			return n.as().post(t, path+"/restore", "")
		}, "file"},
	},
	failed: map[string]attempt{
		"files.parts": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.file(t)+"/parts", `{"numbers":[1]}`)
		}, "files.invalid", true},
		"files.abort": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, "/v1/files/"+n.fileID(t, "a.txt", "hello")+"/abort", "")
		}, "files.not_pending", true},
		"files.complete": {func(t *testing.T, n *tenant) *response { return n.as().post(t, n.file(t)+"/complete", "") }, "files.incomplete", true},
		"files.update": {func(t *testing.T, n *tenant) *response {
			return n.as().with("If-Match", "*").call(t, "PATCH", n.file(t), `{"folder":".."}`)
		}, "files.invalid", true},
		"files.undelete": {func(t *testing.T, n *tenant) *response { return n.as().post(t, n.file(t)+"/undelete", "") }, "files.not_deleted", true},
		"files.restore":  {func(t *testing.T, n *tenant) *response { return n.as().post(t, n.file(t)+"/restore", "") }, "files.not_ready", true},
	},
	bodies: map[string]string{"files.parts": `{}`, "files.update": `{"name":"mallory.txt"}`},
	kind:   "file",
	thing:  func(t *testing.T, n *tenant) string { return strings.TrimPrefix(n.file(t), "/v1/files/") },
})

// fileID declares a file, brings its content unless that is empty, and returns
// its id. Without content the file is meant to be empty.
func (n *tenant) fileID(t *testing.T, name, content string) string {
	t.Helper()
	w := n.as().post(t, "/v1/files", fmt.Sprintf(`{"name":%q,"size":%d}`, name, len(content)))
	id := decode[filesapi.File](t, w, http.StatusCreated).ID.String()
	if content != "" {
		mustDo(t, n.as().call(t, "PUT", "/v1/files/"+id+"/content", content))
	}
	return id
}

// follow sends a content by a link.
func follow(t *testing.T, l *filesapi.FileLink, content string) {
	t.Helper()
	if got := s3test.Follow(t, l.Method, l.URL, l.Headers, []byte(content)); got != http.StatusOK {
		t.Fatalf("sent: %d", got)
	}
}

// TestATenantSaysWhatItTakes: what a tenant sets about its files holds for the
// next request, and for nobody else.
func TestATenantSaysWhatItTakes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, other := h.tenant(t), h.tenant(t)
	kept := "/v1/files/" + n.fileID(t, "kept.txt", "hello")
	mustDo(t, n.as().with("If-Match", "*").call(t, "PATCH", "/v1/settings",
		`{"values":{"files.max_bytes":5,"files.types":["text/*"],"files.retention":"0s","files.downloads":"redirect"}}`))
	refused(t, n.as().post(t, "/v1/files", `{"name":"a","size":6}`), http.StatusRequestEntityTooLarge, "files.too_large")
	refused(t, n.as().post(t, "/v1/files", `{"name":"a","size":5,"content_type":"image/png"}`), http.StatusUnprocessableEntity, "files.type_not_allowed")
	if w := n.as().get(t, kept+"/content"); w.Code != http.StatusFound || w.Header().Get("Location") == "" {
		t.Errorf("a download is answered with %d", w.Code)
	}
	mustDo(t, n.as().with("If-Match", "*").call(t, "DELETE", kept, ""))
	refused(t, n.as().post(t, kept+"/undelete", ""), http.StatusNotFound, "files.not_found")
	mustDo(t, other.as().post(t, "/v1/files", `{"name":"a","size":6,"content_type":"image/png"}`))
	if w := other.as().get(t, "/v1/files/"+other.fileID(t, "a.txt", "hello")+"/content"); w.Code != http.StatusOK {
		t.Errorf("another tenant's download is answered with %d", w.Code)
	}
}

// TestSweepingOfTenants: the worker of the process gives up what is over in a
// tenant, on its record, and keeps what a suspended one has until it is back.
func TestSweepingOfTenants(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	served, suspended := h.tenant(t), h.tenant(t)
	served.file(t)
	suspended.file(t)
	mustDo(t, h.operator(t).as().post(t, "/v1/tenants/"+suspended.id.String()+"/suspend", ""))
	h.clock.Advance(25 * time.Hour)
	worker := wiregen.FileSweeping(h.Process)
	defer worker.Stop()
	for _, n := range []*tenant{served, suspended} {
		if err := <-worker.Start(n.id); err != nil {
			t.Errorf("%s: %v", n.slug, err)
		}
	}
	if left := served.rows(t)["files"]; len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if recorded := strings.Join(served.rows(t)["audit_events"], "\n"); strings.Count(recorded, ",files.give_up,done,") != 1 {
		t.Errorf("the trail says\n%s", recorded)
	}
	if kept := suspended.rows(t)["files"]; len(kept) != 1 {
		t.Errorf("of a suspended tenant %d files are left", len(kept))
	}
}

// TestASweepKnowsTheTenantsRetention: a process that has served no request of a
// tenant sweeps by what the tenant has set all the same.
func TestASweepKnowsTheTenantsRetention(t *testing.T) {
	t.Parallel()
	h, started := newHouse(t), newHouse(t)
	n := h.tenant(t)
	mustDo(t, n.as().with("If-Match", "*").call(t, "PATCH", "/v1/settings", setting("files.retention", `"8760h"`)))
	path := "/v1/files/" + n.fileID(t, "a.txt", "hello")
	mustDo(t, n.as().with("If-Match", "*").call(t, "DELETE", path, ""))
	for o, err := range h.blobs.List(t.Context(), n.id) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := started.blobs.Put(t.Context(), o.Key, strings.NewReader("hello"), 5, "text/plain"); err != nil {
			t.Fatal(err)
		}
	}
	served, err := started.Directory.ByID(t.Context(), n.id)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ hours, deletions int }{{8759, 0}, {2, 1}} {
		started.clock.Advance(time.Duration(step.hours) * time.Hour)
		r, err := wiregen.FileSweeper(started.Process).Sweep(t.Context(), served, true)
		if err != nil || r.Deletions != step.deletions {
			t.Errorf("%d hours later: %+v, %v", step.hours, r, err)
		}
	}
}
