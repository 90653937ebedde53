package e2e_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestBadInput sends what nobody should send. Each answer is a problem document
// that names the field, and nothing is stored.
func TestBadInput(t *testing.T) {
	s := houseOf(t)
	conn := s.inspector(t)
	n := s.landlord(t).newTenant(t, "bad-input")
	n.invite(t, "somebody@example.com")
	me := read[user](t, n.owner.do(t, "GET", "/v1/me", "")).ID
	before := snapshot(t, conn, n.id)
	const valid = `"email":"a@example.com","name":"Ada"`
	for name, tc := range map[string]struct {
		method, path, body string
		header             string
		status             int
		pointer            string // empty: the whole body, or none
	}{
		"unknown field":           {"POST", "/v1/users", `{` + valid + `,"admin":true}`, "", 422, "#/admin"},
		"wrong case":              {"POST", "/v1/users", `{"Email":"a@example.com","name":"Ada"}`, "", 422, "#/Email"},
		"the same in two cases":   {"POST", "/v1/users", `{` + valid + `,"NAME":"Eve"}`, "", 422, "#/NAME"},
		"wrong type":              {"POST", "/v1/users", `{"email":"a@example.com","name":7}`, "", 422, "#/name"},
		"wrong type in a list":    {"POST", "/v1/users", `{` + valid + `,"roles":["member",7]}`, "", 422, "#/roles/1"},
		"missing field":           {"POST", "/v1/users", `{"name":"Ada"}`, "", 422, "#/email"},
		"null":                    {"POST", "/v1/users", `{"email":null,"name":"Ada"}`, "", 422, "#/email"},
		"too long":                {"POST", "/v1/users", object("email", "a@example.com", "name", strings.Repeat("a", 121)), "", 422, "#/name"},
		"too large":               {"POST", "/v1/users", object("email", "a@example.com", "name", strings.Repeat("a", 2<<20)), "", 413, ""},
		"too large with a key":    {"POST", "/v1/users", object("email", "a@example.com", "name", strings.Repeat("a", 2<<20)), "Idempotency-Key: large", 413, ""},
		"no address":              {"POST", "/v1/users", `{"email":"not an address","name":"Ada"}`, "", 422, "#/email"},
		"a zero character":        {"POST", "/v1/users", `{"email":"a@example.com","name":"A\u0000"}`, "", 422, "#/name"},
		"unknown role":            {"POST", "/v1/users", `{` + valid + `,"roles":["emperor"]}`, "", 422, "#/roles"},
		"no JSON":                 {"POST", "/v1/users", `{"email":`, "", 400, ""},
		"another document":        {"POST", "/v1/users", `[1]`, "", 422, ""},
		"two documents":           {"POST", "/v1/users", `{` + valid + `}{}`, "", 400, ""},
		"wrong content type":      {"POST", "/v1/users", `{` + valid + `}`, "Content-Type: text/plain", 415, ""},
		"form":                    {"POST", "/v1/users", `email=a@example.com`, "Content-Type: application/x-www-form-urlencoded", 415, ""},
		"no body":                 {"POST", "/v1/users", "", "", 400, ""},
		"long key":                {"POST", "/v1/users", `{` + valid + `}`, "Idempotency-Key: " + strings.Repeat("k", 201), 422, "header.Idempotency-Key"},
		"bad id":                  {"GET", "/v1/users/1", "", "", 422, "path.id"},
		"bad id of a write":       {"DELETE", "/v1/users/../x", "", "", 404, ""},
		"bad cursor":              {"GET", "/v1/users?cursor=AAAA", "", "", 422, "query.cursor"},
		"bad limit":               {"GET", "/v1/users?limit=0", "", "", 422, "query.limit"},
		"no number":               {"GET", "/v1/users?limit=ten", "", "", 422, "query.limit"},
		"huge number":             {"GET", "/v1/users?limit=99999999999999999999", "", "", 422, "query.limit"},
		"unknown parameter":       {"GET", "/v1/users?order=name", "", "", 422, "query.order"},
		"unknown status":          {"GET", "/v1/users?status=gone", "", "", 422, "query.status"},
		"bad tag":                 {"PATCH", "/v1/users/" + me, `{"name":"Eve"}`, "If-Match: v1", 412, ""},
		"no tag":                  {"PATCH", "/v1/users/" + me, `{"name":"Eve"}`, "", 428, "header.If-Match"},
		"bad instant":             {"GET", "/v1/audit/events?from=yesterday", "", "", 422, "query.from"},
		"bad id in a parameter":   {"GET", "/v1/audit/events?actor=1", "", "", 422, "query.actor"},
		"negative size":           {"POST", "/v1/files", `{"name":"a","size":-1}`, "", 422, "#/size"},
		"fractional size":         {"POST", "/v1/files", `{"name":"a","size":1.5}`, "", 422, "#/size"},
		"path in a name":          {"POST", "/v1/files", `{"name":"../a","size":1}`, "", 422, "#/name"},
		"file too large":          {"POST", "/v1/files", `{"name":"a","size":99999999999}`, "", 413, ""},
		"short password":          {"PUT", "/v1/me/password", object("current", password, "new", "short"), "", 422, "#/new"},
		"unknown path":            {"GET", "/v1/nothing", "", "", 404, ""},
		"unknown method":          {"PUT", "/v1/users", `{}`, "", 405, ""},
		"token of something else": {"GET", "/v1/users", "", "Authorization: Bearer x.y.z", 401, ""},
		"no bearer":               {"GET", "/v1/users", "", "Authorization: Basic b2xnYTpvbGdh", 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var headers []string
			if tc.header != "" {
				headers = append(headers, tc.header)
			}
			a := n.owner.do(t, tc.method, tc.path, tc.body, headers...)
			p := a.refused(t, tc.status, "")
			if tc.pointer == "" {
				return
			}
			for _, f := range p.Errors {
				if f.Pointer == tc.pointer && f.Detail != "" {
					return
				}
			}
			t.Errorf("%s does not name %s: %s", a.what, tc.pointer, a.body)
		})
	}
	unchanged(t, "the tenant", before, snapshot(t, conn, n.id))
	n.invite(t, "nobody-yet@example.com")
	if after := snapshot(t, conn, n.id); after["users"] == before["users"] || after["audit_events"] == before["audit_events"] {
		t.Error("a user that was added does not show: nothing was proved")
	}
}

// TestAnswersAreGuarded looks at what surrounds every answer.
func TestAnswersAreGuarded(t *testing.T) {
	s := houseOf(t)
	c := client{api: s.summary.API}
	for _, path := range []string{"/v1/me", "/v1/nothing", "/livez", "/docs", "/openapi.json"} {
		h := c.do(t, "GET", path, "").header
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") == "" || h.Get("X-Request-Id") == "" || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s answers with %v", path, h)
		}
	}
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/vars"} {
		c.do(t, "GET", path, "").refused(t, http.StatusNotFound, "")
	}
}
