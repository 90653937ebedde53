package filesmodule_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/api"
	"github.com/insulahq/insula/modules/files/filesmodule"
	"github.com/insulahq/insula/modules/files/infra"
	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/s3x/s3test"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/tenancy"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// openDoor lets every token in as one user of one tenant.
type openDoor struct{ tenant tenancy.Tenant }

func (openDoor) Recognize(token string) (scope.Bearer, error) { return scope.Bearer{Token: token}, nil }

func (d openDoor) Admit(_ context.Context, _ scope.Bearer, _ tenancy.Hints, o authn.Origin) (scope.Request, error) {
	return scope.Request{Tenant: d.tenant, Caller: authn.Caller{Kind: authn.User, ID: uuid.Max, Origin: o}}, nil
}

func (d openDoor) Visit(context.Context, tenancy.Hints, authn.Origin) (scope.Request, error) {
	return scope.Request{Tenant: d.tenant}, nil
}

const limit = 1000

// defaults are settings under which content passes through the server.
var defaults = config.Files{QuotaBytes: 10 * limit, QuotaFiles: 100, Retention: time.Hour, UploadTTL: time.Hour, LinkTTL: time.Minute}

// serve puts the module alone behind a server.
func serve(t *testing.T) (*httpx.Server, *s3test.Memory) {
	t.Helper()
	return serveWith(t, defaults)
}

func serveWith(t *testing.T, settings config.Files) (*httpx.Server, *s3test.Memory) {
	t.Helper()
	tenant, blobs, log := pgtest.Tenant(t), s3test.NewMemory(t, clock.System{}), slog.New(slog.DiscardHandler)
	redis, err := redisx.Open(secret.Value{}, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	plenty := redisx.Limit{Rate: 10_000, Burst: 10_000, Period: time.Minute}
	runner := func(r scope.Request) *op.Runner {
		run, _ := optest.Runner(t, r, tenant.Unit(), clock.System{})
		return run
	}
	s := httpx.NewServer(httpx.Options{
		Gate: openDoor{tenant.Tenant}, Runner: runner, Log: log, IDs: id.System{},
		Limiter: redisx.NewLimiter(redis, "test", clock.System{}, nil),
		Limits:  httpx.Limits{Tenant: func(tenancy.Tenant) redisx.Limit { return plenty }, User: plenty, Network: plenty, Proof: plenty},
		Keys:    func(http.ResponseWriter, *http.Request) {}, MaxBodyBytes: 1 << 20, RequestTimeout: time.Minute,
	})
	limits := config.Limits{MaxFileBytes: limit}
	policies := filesmodule.NewPolicies(limits, settings, nil,
		tenancy.NewSettings(setting.NewRegistry(filesmodule.Settings(limits, settings)), nil))
	key, err := secret.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tokens := service.NewTokens(key, rand.Reader)
	files := func(r scope.Request) *service.Files {
		return service.New(runner(r), policies.Of(r.Tenant), service.Parties{
			Keep: infra.NewRepository(), Contents: infra.NewContents(blobs, r), Outbox: pg.NewOutbox(tenant.Pool, clock.System{}, id.System{}),
			Tokens: tokens, Clock: clock.System{}, IDs: id.System{}, Log: log,
		})
	}
	api.New(files, page.NewCodec(make([]byte, 32)), limit, "https://insula.example").Register(s.Router())
	if err := s.Seal(service.Operations); err != nil {
		t.Fatal(err)
	}
	return s, blobs
}

func call(t *testing.T, s http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer any")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder, status int) (out T) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("%d, want %d: %s", w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAFileFromDeclarationToDeletion(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	w := call(t, s, "POST", "/v1/files", `{"name":"bericht.txt","size":5,"content_type":"text/markdown"}`)
	f := decode[api.File](t, w, 201)
	path := "/v1/files/" + f.ID.String()
	if w.Header().Get("Location") != path || w.Header().Get("ETag") != `"v1"` || f.Status != "pending" || f.SHA256 != "" || f.ContentType != "text/markdown" {
		t.Errorf("created %+v %v", f, w.Header())
	}
	if p := decode[httpx.Problem](t, call(t, s, "GET", path+"/content", ""), 409); p.Code != "files.not_ready" {
		t.Errorf("early download: %s", p.Code)
	}
	w = call(t, s, "PUT", path+"/content", "hello", "Content-Type", "image/png")
	f = decode[api.File](t, w, 200)
	sum := sha256.Sum256([]byte("hello"))
	if f.Status != "ready" || f.SHA256 != hex.EncodeToString(sum[:]) || f.ContentType != "text/plain; charset=utf-8" || w.Header().Get("ETag") != `"v2"` {
		t.Errorf("uploaded %+v %v", f, w.Header())
	}
	if got := decode[api.File](t, call(t, s, "GET", path, ""), 200); !reflect.DeepEqual(got, f) {
		t.Errorf("got %+v, want %+v", got, f)
	}
	w = call(t, s, "GET", path+"/content", "", "Range", "bytes=1-2")
	if w.Code != 206 || w.Body.String() != "el" || w.Header().Get("Content-Disposition") != `attachment; filename="bericht.txt"` {
		t.Errorf("download: %d %q %v", w.Code, w.Body, w.Header())
	}
	if p := decode[httpx.Problem](t, call(t, s, "DELETE", path, ""), 428); p.Code != "precondition_required" {
		t.Errorf("delete without If-Match: %s", p.Code)
	}
	if p := decode[httpx.Problem](t, call(t, s, "DELETE", path, "", "If-Match", `"v1"`), 412); p.Code != "precondition_failed" {
		t.Errorf("delete of another version: %s", p.Code)
	}
	if w := call(t, s, "DELETE", path, "", "If-Match", `"v2"`); w.Code != 204 {
		t.Errorf("delete: %d %s", w.Code, w.Body)
	}
	if p := decode[httpx.Problem](t, call(t, s, "GET", path+"/content", ""), 410); p.Code != "files.deleted" {
		t.Errorf("content of a deleted file: %s", p.Code)
	}
	if got := decode[api.File](t, call(t, s, "GET", path, ""), 200); got.Status != "deleted" || got.DeletedAt == nil {
		t.Errorf("deleted: %+v", got)
	}
	if got := decode[api.File](t, call(t, s, "POST", path+"/undelete", ""), 200); got.Status != "ready" || got.DeletedAt != nil {
		t.Errorf("undeleted: %+v", got)
	}
	for range 2 { // the second time is for good
		if w := call(t, s, "DELETE", path, "", "If-Match", "*"); w.Code != 204 {
			t.Errorf("delete: %d %s", w.Code, w.Body)
		}
	}
	for _, gone := range []string{path, path + "/content"} {
		if p := decode[httpx.Problem](t, call(t, s, "GET", gone, ""), 404); p.Code != "files.not_found" {
			t.Errorf("%s afterwards: %s", gone, p.Code)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s, blobs := serve(t)
	f := decode[api.File](t, call(t, s, "POST", "/v1/files", `{"name":"a","size":5}`), 201)
	content := "/v1/files/" + f.ID.String() + "/content"
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		code, pointer            string
	}{
		{"name that is a path", "POST", "/v1/files", `{"name":"a/b","size":5}`, 422, "files.invalid", "#/name"},
		{"no name", "POST", "/v1/files", `{"size":5}`, 422, "invalid", "#/name"},
		{"too large", "POST", "/v1/files", `{"name":"a","size":1001}`, 413, "files.too_large", "#/size"},
		{"negative", "POST", "/v1/files", `{"name":"a","size":-1}`, 422, "invalid", "#/size"},
		{"no type", "POST", "/v1/files", `{"name":"a","size":1,"content_type":"no type"}`, 422, "files.invalid", "#/content_type"},
		{"status that is none", "GET", "/v1/files?status=gone", "", 422, "invalid", "query.status"},
		{"name that none has", "GET", "/v1/files?name=%00", "", 422, "files.invalid", "query.name"},
		{"cursor of nothing", "GET", "/v1/files?cursor=abc", "", 422, "invalid_cursor", "query.cursor"},
		{"id that is none", "PUT", "/v1/files/abc/content", "12345", 422, "invalid", "path.id"},
		{"short body", "PUT", content, "1234", 422, "files.size_mismatch", ""},
		{"long body", "PUT", content, "123456", 422, "files.size_mismatch", ""},
		{"body beyond every limit", "PUT", content, strings.Repeat("x", limit+1), 413, "too_large", ""},
		{"unknown file", "PUT", "/v1/files/0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d/content", "12345", 404, "files.not_found", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := decode[httpx.Problem](t, call(t, s, tc.method, tc.path, tc.body, "Content-Type", "application/json"), tc.status)
			if p.Code != tc.code || tc.pointer != "" && (len(p.Errors) != 1 || p.Errors[0].Pointer != tc.pointer) {
				t.Errorf("%s %v", p.Code, p.Errors)
			}
		})
	}
	blobs.FailWith(s3x.ErrUnavailable)
	if p := decode[httpx.Problem](t, call(t, s, "PUT", content, "12345"), 503); p.Code != "unavailable" {
		t.Errorf("upload with the store away: %s", p.Code)
	}
	blobs.FailWith(nil)
	if got := decode[httpx.List[api.File]](t, call(t, s, "GET", "/v1/files", ""), 200); len(got.Items) != 1 || got.Items[0].Status != "pending" {
		t.Errorf("refusals changed something: %+v", got.Items)
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	for _, name := range []string{"a1", "b1", "a2", "a3"} {
		decode[api.File](t, call(t, s, "POST", "/v1/files", `{"name":"`+name+`","size":5}`), 201)
	}
	first := decode[httpx.List[api.File]](t, call(t, s, "GET", "/v1/files?name=a&status=pending&limit=2", ""), 200)
	if len(first.Items) != 2 || first.Items[0].Name != "a3" || first.Items[1].Name != "a2" || first.NextCursor == "" {
		t.Fatalf("first page %+v", first)
	}
	rest := decode[httpx.List[api.File]](t, call(t, s, "GET", "/v1/files?name=a&status=pending&limit=2&cursor="+first.NextCursor, ""), 200)
	if len(rest.Items) != 1 || rest.Items[0].Name != "a1" || rest.NextCursor != "" {
		t.Errorf("second page %+v", rest)
	}
	if p := decode[httpx.Problem](t, call(t, s, "GET", "/v1/files?name=b&status=pending&cursor="+first.NextCursor, ""), 422); p.Code != "invalid_cursor" {
		t.Errorf("cursor of another filter: %s", p.Code)
	}
}
