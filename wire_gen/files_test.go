package wiregen_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	filesapi "github.com/insulahq/insula/modules/files/api"
)

// What the tests of the whole house must know about files, beside what stands
// in their tables.
var _ = show(exhibit{
	permissions: map[string]string{
		"files.abort": workers, "files.clear": noRequest, "files.complete": workers, "files.examine": noRequest, "files.give_up": noRequest,
		"files.lose": noRequest, "files.parts": workers, "files.purge": noRequest, "files.requeue": noRequest, "files.restore": workers,
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
	r, err := http.NewRequestWithContext(t.Context(), l.Method, l.URL, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range l.Headers {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("sent: %d", answer.StatusCode)
	}
}
