package filesmodule_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/insulahq/insula/modules/files/api"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/s3x/s3test"
)

func follow(t *testing.T, l *api.FileLink, body string) int {
	t.Helper()
	return s3test.Follow(t, l.Method, l.URL, l.Headers, []byte(body))
}

func TestSendToTheStoreAndReadFromIt(t *testing.T) {
	t.Parallel()
	settings := defaults
	settings.Direct, settings.Redirect = true, true
	s, _ := serveWith(t, settings)
	sum := sha256.Sum256([]byte("hello"))
	w := call(t, s, "POST", "/v1/files", fmt.Sprintf(`{"name":"grüße.txt","folder":"a/b","size":5,"sha256":"%x","metadata":{"job":"17"}}`, sum))
	f := decode[api.File](t, w, 201)
	if f.Upload == nil || f.Upload.Method != "put" || f.Upload.Link == nil || f.Folder != "a/b/" || f.Metadata["job"] != "17" || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("created %+v, %v", f, w.Header())
	}
	path := "/v1/files/" + f.ID.String()
	if p := decode[httpx.Problem](t, call(t, s, "POST", path+"/complete", ""), 409); p.Code != "files.incomplete" {
		t.Errorf("complete too early: %s", p.Code)
	}
	if got := follow(t, f.Upload.Link, "hello"); got != 200 {
		t.Fatalf("sent: %d", got)
	}
	if again := decode[api.File](t, call(t, s, "POST", path+"/parts", `{}`), 200); again.Upload.Link == nil || again.Upload.Link.URL == f.Upload.Link.URL {
		t.Errorf("another link: %+v", again.Upload)
	}
	f = decode[api.File](t, call(t, s, "POST", path+"/complete", ""), 200)
	if f.Status != "ready" || f.SHA256 != hex.EncodeToString(sum[:]) || f.Upload != nil {
		t.Errorf("completed %+v", f)
	}
	w = call(t, s, "GET", path+"/content", "")
	if w.Code != 302 || w.Body.Len() != 0 || w.Header().Get("Cache-Control") != "private, no-store" {
		t.Fatalf("download: %d %v", w.Code, w.Header())
	}
	answer, err := http.Get(w.Header().Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || string(body) != "hello" || answer.Header.Get("Content-Disposition") != httpx.Attachment("grüße.txt") {
		t.Errorf("from the store: %q, %v, %v", body, answer.Header, err)
	}
	usage := decode[api.FileUsage](t, call(t, s, "GET", "/v1/usage", ""), 200)
	if usage.Bytes != 5 || usage.Files != 1 || usage.BytesLeft != 10*limit-5 || usage.FilesLeft != 99 || usage.MaxSize != limit || usage.Retention != 3600 {
		t.Errorf("usage %+v", usage)
	}
}

// TestHead goes over a real server, which keeps the body of an answer to HEAD
// to itself.
func TestHead(t *testing.T) {
	t.Parallel()
	for name, redirect := range map[string]bool{"through the server": false, "elsewhere": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := defaults
			settings.Redirect = redirect
			s, blobs := serveWith(t, settings)
			server := httptest.NewServer(s)
			defer server.Close()
			f := decode[api.File](t, call(t, s, "POST", "/v1/files", `{"name":"a.txt","size":5}`), 201)
			path := "/v1/files/" + f.ID.String() + "/content"
			decode[api.File](t, call(t, s, "PUT", path, "hello"), 200)
			blobs.FailWith(io.ErrClosedPipe) // nothing may be read for it
			for rng, want := range map[string]int{"": 200, "bytes=1-2": 206, "bytes=9-": 416} {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer any")
				req.Header.Set("Range", rng)
				answer, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				length := map[int]int64{200: 5, 206: 2}[want]
				if answer.StatusCode != want || want != 416 && (answer.ContentLength != length || answer.Header.Get("ETag") == "") {
					t.Errorf("range %q: %d, %d bytes, %v", rng, answer.StatusCode, answer.ContentLength, answer.Header)
				}
			}
		})
	}
}

func TestQuotaOverHTTP(t *testing.T) {
	t.Parallel()
	settings := defaults
	settings.QuotaBytes = 10
	s, _ := serveWith(t, settings)
	decode[api.File](t, call(t, s, "POST", "/v1/files", `{"name":"a","size":7}`), 201)
	p := decode[httpx.Problem](t, call(t, s, "POST", "/v1/files", `{"name":"b","size":4}`), 413)
	if p.Code != "files.quota_exceeded" || len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Detail, "3 bytes in 99 files") {
		t.Errorf("%+v", p)
	}
}

func TestOrganise(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	bring := func(name, folder, content string) api.File {
		f := decode[api.File](t, call(t, s, "POST", "/v1/files", fmt.Sprintf(`{"name":%q,"folder":%q,"size":%d}`, name, folder, len(content))), 201)
		return decode[api.File](t, call(t, s, "PUT", "/v1/files/"+f.ID.String()+"/content", content), 200)
	}
	list := func(query string) (names string) {
		for _, f := range decode[httpx.List[api.File]](t, call(t, s, "GET", "/v1/files?"+query, ""), 200).Items {
			names += f.Folder + f.Name + " "
		}
		return strings.TrimSpace(names)
	}
	a1, a2, b := bring("a", "x", "one"), bring("a", "x", "two!"), bring("b", "x/y", "%PDF-1.7")
	for query, want := range map[string]string{ // the newest comes first, or what the path, name or size puts there
		"": "x/y/b x/a", "folder=x": "x/a", "folder=/": "", "below=x": "x/a x/y/b", "below=x/y": "x/y/b", "type=application/*": "x/y/b",
		"min_size=5": "x/y/b", "min_size=1": "x/y/b x/a", "max_size=4": "x/a", "owner_id=" + b.OwnerID.String(): "x/y/b x/a", "owner_id=" + b.ID.String(): "",
		"created_before=2020-01-01T00:00:00Z": "", "created_from=2020-01-01T00:00:00Z&name=b": "x/y/b",
	} {
		if got := list(query); got != want {
			t.Errorf("%q lists %q, want %q", query, got, want)
		}
	}
	versions := decode[httpx.List[api.File]](t, call(t, s, "GET", "/v1/files/"+a1.ID.String()+"/versions", ""), 200)
	if len(versions.Items) != 2 || versions.Items[0].ID != a2.ID || versions.Items[0].Earlier || !versions.Items[1].Earlier {
		t.Fatalf("versions %+v", versions.Items)
	}
	path := "/v1/files/" + a2.ID.String()
	moved := decode[api.File](t, call(t, s, "PATCH", path, `{"name":"c","folder":"","metadata":{"k":"v"}}`, "If-Match", `"v2"`), 200)
	if moved.Folder != "" || moved.Name != "c" || moved.Metadata["k"] != "v" || list("") != "x/y/b c" {
		t.Errorf("moved %+v", moved)
	}
	if p := decode[httpx.Problem](t, call(t, s, "PATCH", path, `{"name":"b","folder":"x/y"}`, "If-Match", "*"), 409); p.Code != "files.name_taken" {
		t.Errorf("a name that is taken: %s", p.Code)
	}
	old := "/v1/files/" + a1.ID.String()
	if p := decode[httpx.Problem](t, call(t, s, "PATCH", old, `{"name":"z"}`, "If-Match", "*"), 409); p.Code != "files.earlier_version" {
		t.Errorf("rename of an earlier version: %s", p.Code)
	}
	restored := decode[api.File](t, call(t, s, "POST", old+"/restore", ""), 200)
	if restored.Earlier || restored.Name != "c" || restored.Size != 3 {
		t.Errorf("restored %+v", restored)
	}
	if got := decode[api.File](t, call(t, s, "GET", path, ""), 200); !got.Earlier {
		t.Errorf("what it replaced: %+v", got)
	}
	if w := call(t, s, "GET", path+"/content", ""); w.Code != 200 || w.Body.String() != "two!" {
		t.Errorf("an earlier version reads %d %q", w.Code, w.Body)
	}
}
