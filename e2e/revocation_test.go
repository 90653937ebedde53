package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestARevocationHoldsOnTheNextRequest runs two server processes on one
// database and one Redis. What is taken on the first is refused by the very
// next request to the second: while Redis works, while it hangs, and while it
// is gone.
func TestARevocationHoldsOnTheNextRequest(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	u := must(url.Parse(s.parts["REDIS_URL"]))(t)
	wire := newRelay(t, u.Host)
	u.Host = wire.addr
	one, two := s.serve(t, "REDIS_URL="+u.String()), s.serve(t, "REDIS_URL="+u.String())
	n := s.found(t, one).newTenant(t, "revoked")
	for _, step := range []struct {
		redis  string
		become func()
	}{{"works", func() {}}, {"hangs", wire.stall}, {"is gone", wire.cut}} {
		step.become()
		if !t.Run("Redis "+step.redis, func(t *testing.T) {
			n.at(one).revokes(t, two)
			n.at(two).revokes(t, one)
		}) {
			t.Fatalf("while Redis %s", step.redis)
		}
	}
	page := string(client{api: two.admin}.do(t, "GET", "/metrics", "").want(t, http.StatusOK).body)
	for _, outcome := range []string{"allowed", "denied"} {
		if !strings.Contains(page, `insula_access_decisions_total{outcome="`+outcome+`"}`) {
			t.Errorf("no decision was counted as %s", outcome)
		}
	}
}

// revokes gives and takes permissions in every way there is, and asks the
// other server right after.
func (n tenant) revokes(t *testing.T, other *server) {
	t.Helper()
	number := slugs.Add(1)
	base := n.newRole(t, fmt.Sprintf("base-%d", number), object("permissions", []string{"users.list"}))
	heir := n.newRole(t, fmt.Sprintf("heir-%d", number), object("parents", []string{base.name}))
	made, c := n.member(t, fmt.Sprintf("revoked-%d@example.com", number), heir.name)
	elsewhere := c
	elsewhere.api = other.api
	sees := func(after string, status int) {
		t.Helper()
		elsewhere.do(t, "GET", "/v1/users", "").want(t, status)
		allowed := status == http.StatusOK
		check := elsewhere.do(t, "POST", "/v1/authz/check", `{"checks":[{"permission":"users.list"}]}`).want(t, http.StatusOK)
		if strings.Contains(string(check.body), `"allowed":true`) != allowed {
			t.Errorf("after %s: check answers %s", after, check.body)
		}
	}
	change := func(path, body string) {
		t.Helper()
		method := "PATCH"
		if strings.HasSuffix(path, "/roles") {
			method = "PUT"
		}
		n.owner.do(t, method, path, body, "If-Match: *").want(t, http.StatusOK)
	}
	const yes, no = http.StatusOK, http.StatusForbidden
	sees("the beginning", yes)
	change(base.path, `{"permissions":[]}`)
	sees("a parent lost its permission", no)
	change(base.path, `{"permissions":["users.*"]}`)
	sees("a parent was given it", yes)
	change(heir.path, `{"parents":[]}`)
	sees("the parent was taken", no)
	change(heir.path, `{"permissions":["users.list"]}`)
	sees("the role was given the permission", yes)
	change("/v1/users/"+made.ID+"/roles", `{"roles":[]}`)
	sees("the role was taken from the user", no)
	change("/v1/users/"+made.ID+"/roles", object("roles", []string{heir.name}))
	sees("the role was given to the user", yes)
	n.owner.do(t, "DELETE", heir.path+"?replace_with="+n.newRole(t, fmt.Sprintf("void-%d", number), "{}").id, "", "If-Match: *").want(t, http.StatusNoContent)
	sees("another role took its place", no)
	n.owner.do(t, "POST", "/v1/users/"+made.ID+"/suspend", "").want(t, http.StatusOK)
	elsewhere.do(t, "GET", "/v1/me", "").refused(t, http.StatusUnauthorized, "")
}

// ownRole is a role of the tenant's own.
type ownRole struct{ id, name, path string }

// newRole makes a role of the rest of a body.
func (n tenant) newRole(t *testing.T, name, rest string) ownRole {
	t.Helper()
	body := fmt.Sprintf(`{"name":%q,%s`, name, strings.TrimPrefix(rest, "{"))
	made := n.owner.do(t, "POST", "/v1/roles", strings.Replace(body, ",}", "}", 1)).want(t, http.StatusCreated)
	return ownRole{id: made.text(t, "id"), name: name, path: made.header.Get("Location")}
}
