package wiregen_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/s3x"
)

// faulty is a request that goes wrong.
type faulty struct {
	name, method, path, body string
	headers                  []string
}

// faults are the errors that clients meet most, in the order of the golden
// file. All but the first few come from an owner of a tenant.
var faults = []faulty{
	{name: "no token", method: "GET", path: "/v1/users", headers: []string{"Authorization", ""}},
	{name: "a token that is none", method: "GET", path: "/v1/users", headers: []string{"Authorization", "Bearer nonsense"}},
	{name: "another scheme", method: "GET", path: "/v1/users", headers: []string{"Authorization", "Basic b3duZXI6cGFzc3dvcmQ="}},
	{name: "no tenant", method: "POST", path: "/v1/auth/login", body: `{"email":"a@example.com","password":"b"}`, headers: []string{"Authorization", ""}},
	{name: "unknown tenant", method: "POST", path: "/v1/auth/login", body: `{"email":"a@example.com","password":"b"}`, headers: []string{"Authorization", "", "X-Tenant", "nobody"}},
	{name: "another tenant", method: "GET", path: "/v1/users", headers: []string{"X-Tenant", "landlord"}},
	{name: "no permission", method: "GET", path: "/v1/tenants"},
	{name: "no route", method: "GET", path: "/v1/nothing"},
	{name: "no such method", method: "PUT", path: "/v1/users", body: `{}`},
	{name: "no such user", method: "GET", path: "/v1/users/0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d"},
	{name: "id that is none", method: "GET", path: "/v1/users/42"},
	{name: "body that is no JSON", method: "POST", path: "/v1/users", body: `{"email":`},
	{name: "no body", method: "POST", path: "/v1/users"},
	{name: "body that is no object", method: "POST", path: "/v1/users", body: `[]`},
	{name: "content type", method: "POST", path: "/v1/users", body: `email=a`, headers: []string{"Content-Type", "application/x-www-form-urlencoded"}},
	{name: "unknown field", method: "POST", path: "/v1/users", body: `{"email":"a@example.com","name":"A","admin":true}`},
	{name: "field in another case", method: "POST", path: "/v1/users", body: `{"email":"a@example.com","name":"A","Name":"B"}`},
	{name: "wrong type", method: "POST", path: "/v1/users", body: `{"email":1,"name":"A","roles":"owner"}`},
	{name: "missing field", method: "POST", path: "/v1/users", body: `{"email":"a@example.com"}`},
	{name: "broken rule", method: "POST", path: "/v1/users", body: `{"email":"not an address","name":"A"}`},
	{name: "two broken rules", method: "POST", path: "/v1/users", body: `{"email":"not an address","name":"\u0000"}`},
	{name: "unknown role", method: "POST", path: "/v1/users", body: `{"email":"a@example.com","name":"A","roles":["emperor"]}`},
	{name: "too large", method: "POST", path: "/v1/users", body: `{"email":"` + strings.Repeat("a", 4096) + `"}`},
	{name: "unknown query parameter", method: "GET", path: "/v1/users?order=name"},
	{name: "limit out of bounds", method: "GET", path: "/v1/users?limit=1000"},
	{name: "limit that is no number", method: "GET", path: "/v1/users?limit=ten"},
	{name: "cursor of nothing", method: "GET", path: "/v1/users?cursor=abc"},
	{name: "no If-Match", method: "PATCH", path: "/v1/me", body: `{"name":"A"}`},
	{name: "If-Match of another version", method: "PATCH", path: "/v1/me", body: `{"name":"A"}`, headers: []string{"If-Match", `"v99"`}},
	{name: "If-Match that is no tag", method: "PATCH", path: "/v1/me", body: `{"name":"A"}`, headers: []string{"If-Match", "yes"}},
	{name: "wrong credentials", method: "POST", path: "/v1/auth/login", body: `{"email":"a@example.com","password":"b"}`, headers: []string{"Authorization", "", "X-Tenant", "landlord"}},
	{name: "wrong refresh token", method: "POST", path: "/v1/auth/refresh", body: `{"refresh_token":"a"}`, headers: []string{"Authorization", "", "X-Tenant", "landlord"}},
	{name: "wrong invitation", method: "POST", path: "/v1/auth/invitations/accept", body: `{"token":"a","password":"correct horse battery","name":"A"}`, headers: []string{"Authorization", "", "X-Tenant", "landlord"}},
	{name: "weak password", method: "PUT", path: "/v1/me/password", body: `{"current":"CURRENT","new":"short"}`},
	{name: "wrong current password", method: "PUT", path: "/v1/me/password", body: `{"current":"wrong","new":"correct horse battery"}`},
	{name: "long Idempotency-Key", method: "POST", path: "/v1/users", body: `{}`, headers: []string{"Idempotency-Key", strings.Repeat("k", 201)}},
	{name: "file beyond the limit", method: "POST", path: "/v1/files", body: `{"name":"a","size":5497558138881}`},
	{name: "no such file", method: "GET", path: "/v1/files/0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d/content"},
	{name: "oneself", method: "POST", path: "/v1/users/OWNER/suspend"},
}

// TestProblems compares what clients see of errors with what somebody has
// looked at. In the file, ids of requests are left out.
func TestProblems(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *config.Config) { c.Limits.MaxBodyBytes = 2048 })
	n := h.tenant(t)
	fill := strings.NewReplacer("OWNER", n.owner.id.String(), "CURRENT", n.owner.password)
	var seen bytes.Buffer
	for _, f := range faults {
		w := n.as().with(f.headers...).call(t, f.method, fill.Replace(f.path), fill.Replace(f.body))
		fmt.Fprintf(&seen, "== %s\n%s %s\n%s\n", f.name, f.method, f.path, shown(t, w))
		for _, secret := range []string{n.owner.password, "SELECT", "pgx", "goroutine", n.schema} {
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("%s tells %q: %s", f.name, secret, w.Body)
			}
		}
	}
	golden(t, "problems.golden", seen.Bytes())
}

// shown is a problem with its headers, as the golden file has it.
func shown(t *testing.T, w *response) string {
	t.Helper()
	p := decode[httpx.Problem](t, w, w.Code)
	if w.Header().Get("Content-Type") != "application/problem+json" || p.Status != w.Code || p.Instance != w.Header().Get("X-Request-Id") ||
		p.Type != "urn:insula:error:"+p.Code || p.Title != http.StatusText(w.Code) || p.Detail == "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("not a problem as it should be: %d %v %s", w.Code, w.Header(), w.Body)
	}
	p.Instance = ""
	body, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	lines := fmt.Sprintf("%d %s\n", w.Code, w.Header().Get("Content-Type"))
	for _, name := range []string{"WWW-Authenticate", "Retry-After", "Allow"} {
		if value := w.Header().Get(name); value != "" {
			lines += name + ": " + value + "\n"
		}
	}
	return lines + string(body) + "\n"
}

// TestWhatGoesWrongInsideStaysInside: an error that nobody declared is an
// opaque 500, and a part that is away a 503; the log has the rest.
func TestWhatGoesWrongInsideStaysInside(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	path := n.file(t)
	for _, tc := range []struct {
		fail   error
		status int
		code   string
	}{
		{fmt.Errorf("password=hunter2 at s3.internal:9000"), http.StatusInternalServerError, "internal"},
		{fmt.Errorf("dial s3.internal:9000: %w", s3x.ErrUnavailable), http.StatusServiceUnavailable, "unavailable"},
	} {
		h.blobs.FailWith(tc.fail)
		w := n.as().call(t, "PUT", path+"/content", "hello")
		refused(t, w, tc.status, tc.code)
		if strings.Contains(w.Body.String(), "s3.internal") {
			t.Errorf("told to the client: %s", w.Body)
		}
		if !strings.Contains(h.log.String(), tc.fail.Error()) {
			t.Errorf("the log does not tell %q", tc.fail)
		}
		if records := n.records(t, w); len(records) != 1 || records[0].Outcome != "failed" || records[0].Code != tc.code {
			t.Errorf("recorded as %+v", records)
		}
	}
	h.blobs.FailWith(nil)
	mustDo(t, n.as().call(t, "PUT", path+"/content", "hello"))
}
