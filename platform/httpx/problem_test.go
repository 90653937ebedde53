package httpx_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/op"
)

const thingID = "/v1/things/0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d"

// TestBadInput sends what clients get wrong: each is a problem document that
// names the field, tells nothing of the value, and nothing is stored.
func TestBadInput(t *testing.T) {
	for _, tc := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code, pointer            string
	}{
		{"unknown field", "POST", "/v1/things", `{"name":"a","size":1,"admin":true}`, nil, 422, "invalid", "#/admin"},
		{"wrong case", "POST", "/v1/things", `{"name":"a","size":1,"SIZE":-99}`, nil, 422, "invalid", "#/SIZE"},
		{"wrong type", "POST", "/v1/things", `{"name":"a","size":"s3cret"}`, nil, 422, "invalid", "#/size"},
		{"out of range", "POST", "/v1/things", `{"name":"a","size":101}`, nil, 422, "invalid", "#/size"},
		{"missing", "POST", "/v1/things", `{"size":1}`, nil, 422, "invalid", "#/name"},
		{"inside a list", "POST", "/v1/things", `{"name":"a","size":1,"tags":["x",5]}`, nil, 422, "invalid", "#/tags/1"},
		{"not an object", "POST", "/v1/things", `[]`, nil, 422, "invalid", "#"},
		{"not JSON", "POST", "/v1/things", `{"name":`, nil, 400, "malformed", ""},
		{"behind the JSON", "POST", "/v1/things", `{"name":"a","size":1} {}`, nil, 400, "malformed", ""},
		{"no body", "POST", "/v1/things", ``, nil, 400, "malformed", ""},
		{"too large", "POST", "/v1/things", `{"name":"` + strings.Repeat("a", 2000) + `","size":1}`, nil, 413, "too_large", ""},
		{"wrong content type", "POST", "/v1/things", `name=a`, []string{"Content-Type", "application/s3cret"}, 415, "unsupported_media_type", ""},
		{"unknown query parameter", "GET", "/v1/things?limt=5", "", nil, 422, "invalid", "query.limt"},
		{"said twice", "GET", "/v1/things?limit=1&limit=2", "", nil, 422, "invalid", "query.limit"},
		{"bad query value", "GET", "/v1/things?limit=x", "", nil, 422, "invalid", "query.limit"},
		{"query out of range", "GET", "/v1/things?limit=0", "", nil, 422, "invalid", "query.limit"},
		{"bad id", "PATCH", "/v1/things/nonsense", `{"name":"a","size":1}`, []string{"If-Match", `"v3"`}, 422, "invalid", "path.id"},
		{"no If-Match", "PATCH", thingID, `{"name":"a","size":1}`, nil, 428, "precondition_required", "header.If-Match"},
		{"stale If-Match", "PATCH", thingID, `{"name":"a","size":1}`, []string{"If-Match", `"v2"`}, 412, "precondition_failed", ""},
		{"foreign If-Match", "PATCH", thingID, `{"name":"a","size":1}`, []string{"If-Match", `W/"v3"`}, 412, "precondition_failed", ""},
		{"unknown path", "GET", "/v1/nothing", "", nil, 404, "not_found", ""},
		{"unknown method", "DELETE", "/v1/things", "", nil, 405, "method_not_allowed", ""},
		{"no token", "GET", "/v1/things", "", []string{"Authorization", ""}, 401, "unauthenticated", ""},
		{"bad token", "GET", "/v1/things", "", []string{"Authorization", "Bearer bad"}, 401, "unauthenticated", ""},
		{"other scheme", "GET", "/v1/things", "", []string{"Authorization", "Basic Z29vZA=="}, 401, "unauthenticated", ""},
		{"no tenant", "POST", "/v1/hello", "", []string{"Authorization", ""}, 400, "tenant_required", ""},
		{"another tenant's header", "GET", "/v1/things", "", []string{"X-Tenant", "globex"}, 403, "tenant_mismatch", ""},
		{"another tenant's host", "GET", "/v1/things", "", []string{"Host", "globex.example.com:8080"}, 403, "tenant_mismatch", ""},
		{"no permission beats bad body", "POST", "/v1/things", `{"nonsense":1}`, []string{"Authorization", "Bearer weak"}, 403, "forbidden", ""},
		{"panic", "GET", "/v1/things?cursor=panic", "", nil, 500, "internal", ""},
		{"undeclared error", "GET", "/v1/things?cursor=undeclared", "", nil, 500, "internal", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHouse(t)
			w := h.call(tc.method, tc.path, tc.body, tc.headers...)
			var p httpx.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
				t.Fatalf("%d %s: %v", w.Code, w.Body, err)
			}
			if w.Code != tc.status || p.Status != tc.status || p.Code != tc.code {
				t.Fatalf("got %d %s, want %d %s", w.Code, w.Body, tc.status, tc.code)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("Content-Type %q", got)
			}
			if p.Type != "urn:insula:error:"+tc.code || p.Title != http.StatusText(tc.status) || p.Detail == "" {
				t.Errorf("incomplete: %s", w.Body)
			}
			if p.Instance == "" || p.Instance != w.Header().Get("X-Request-Id") {
				t.Errorf("instance %q, request id %q", p.Instance, w.Header().Get("X-Request-Id"))
			}
			var pointers []string
			for _, f := range p.Errors {
				pointers = append(pointers, f.Pointer)
			}
			if tc.pointer != "" && !slices.Contains(pointers, tc.pointer) {
				t.Errorf("names %v, want %s", pointers, tc.pointer)
			}
			for _, secret := range []string{"s3cret", "t_secret", "aaaaaaaa", "goroutine"} {
				if strings.Contains(w.Body.String(), secret) {
					t.Errorf("tells %q: %s", secret, w.Body)
				}
			}
			if h.stored != 0 {
				t.Error("something was stored")
			}
			if tc.status == 500 && !strings.Contains(h.log.String(), "t_secret") {
				t.Error("the cause is not in the log")
			}
		})
	}
}

func TestAnsweredHeadersOfRefusals(t *testing.T) {
	h := newHouse(t)
	w := h.call("GET", "/v1/things", "", "Authorization", "")
	if w.Header().Get("WWW-Authenticate") == "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("401 with headers %v", w.Header())
	}
}

func TestEveryAdmittedRefusalIsRecordedOnce(t *testing.T) {
	h := newHouse(t)
	h.call("POST", "/v1/things", `{}`, "Authorization", "Bearer weak")
	h.call("PATCH", thingID, `{}`, "Authorization", "Bearer weak")
	h.call("GET", "/v1/things", "", "X-Tenant", "globex")
	h.call("GET", "/v1/things", "", "Authorization", "Bearer bad") // a stranger: nothing proven, nothing recorded
	entries := h.records.Entries()
	if len(entries) != 3 {
		t.Fatalf("%d records, want 3: %+v", len(entries), entries)
	}
	for i, want := range []struct{ operation, code, target string }{
		{"things.create", "forbidden", ""},
		{"things.change", "forbidden", thingID[len("/v1/things/"):]},
		{"things.list", "tenant_mismatch", ""},
	} {
		e := entries[i]
		if e.Operation != want.operation || e.Code != want.code || e.Target.ID != want.target || e.Outcome != op.Denied {
			t.Errorf("record %d: %+v", i, e)
		}
	}
}
