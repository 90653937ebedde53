package filesmodule_test

import (
	"fmt"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/insulahq/insula/modules/files/api"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/s3x"
)

func TestContentWithAnotherChecksum(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	// SHA-256 of "hello".
	const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	f := decode[api.File](t, call(t, s, "POST", "/v1/files", fmt.Sprintf(`{"name":"a","size":5,"sha256":%q}`, sum)), 201)
	path := "/v1/files/" + f.ID.String()
	if p := decode[httpx.Problem](t, call(t, s, "PUT", path+"/content", "jello"), 422); p.Code != "files.checksum_mismatch" {
		t.Errorf("other content: %s", p.Code)
	}
	if got := decode[api.File](t, call(t, s, "GET", path, ""), 200); got.Status != "pending" || got.SHA256 != "" {
		t.Errorf("afterwards %+v", got)
	}
	if got := decode[api.File](t, call(t, s, "PUT", path+"/content", "hello"), 200); got.Status != "ready" || got.SHA256 != sum {
		t.Errorf("the declared content: %+v", got)
	}
}

// TestCompletedByManyAtOnce: whoever says that the content was sent is told of
// the same file, and it counts once.
func TestCompletedByManyAtOnce(t *testing.T) {
	t.Parallel()
	settings := defaults
	settings.Direct = true
	s, _ := serveWith(t, settings)
	f := decode[api.File](t, call(t, s, "POST", "/v1/files", `{"name":"a","size":5}`), 201)
	if got := follow(t, f.Upload.Link, "hello"); got != 200 {
		t.Fatalf("sent: %d", got)
	}
	answers := make([]*httptest.ResponseRecorder, 8)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { answers[i] = call(t, s, "POST", "/v1/files/"+f.ID.String()+"/complete", "") })
	}
	group.Wait()
	for _, w := range answers {
		if got := decode[api.File](t, w, 200); got.Status != "ready" || w.Header().Get("ETag") != `"v2"` {
			t.Errorf("completed: %+v, %v", got, w.Header())
		}
	}
	if usage := decode[api.FileUsage](t, call(t, s, "GET", "/v1/usage", ""), 200); usage.Files != 1 || usage.Bytes != 5 {
		t.Errorf("it takes up %+v", usage)
	}
}

// TestStoreAwayFromSendingToReading takes the store away before each step
// that needs it: 503 says when to come again, nothing has changed, and the
// step is done once the store is back.
func TestStoreAwayFromSendingToReading(t *testing.T) {
	t.Parallel()
	settings := defaults
	settings.Direct, settings.Redirect = true, true
	s, blobs := serveWith(t, settings)
	f := decode[api.File](t, call(t, s, "POST", "/v1/files", `{"name":"a","size":5}`), 201)
	path := "/v1/files/" + f.ID.String()
	blobs.FailWith(s3x.ErrUnavailable)
	if again := decode[api.File](t, call(t, s, "POST", path+"/parts", "{}"), 200); again.Upload.Link != nil {
		t.Errorf("a link without a store: %+v", again.Upload.Link)
	}
	blobs.FailWith(nil)
	again := decode[api.File](t, call(t, s, "POST", path+"/parts", "{}"), 200)
	if got := follow(t, again.Upload.Link, "hello"); got != 200 {
		t.Fatalf("sent: %d", got)
	}
	for _, step := range []struct {
		method, path, status string
		want                 int
	}{
		{"POST", "/complete", "pending", 200}, {"GET", "/content", "ready", 302},
	} {
		blobs.FailWith(s3x.ErrUnavailable)
		w := call(t, s, step.method, path+step.path, "")
		if p := decode[httpx.Problem](t, w, 503); p.Code != "unavailable" || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s without the store: %s, %v", step.path, p.Code, w.Header())
		}
		if got := decode[api.File](t, call(t, s, "GET", path, ""), 200); string(got.Status) != step.status {
			t.Errorf("%s without the store has made it %s", step.path, got.Status)
		}
		blobs.FailWith(nil)
		w = call(t, s, step.method, path+step.path, "")
		if w.Code != step.want {
			t.Fatalf("%s with the store back: %d %s", step.path, w.Code, w.Body)
		}
	}
}
