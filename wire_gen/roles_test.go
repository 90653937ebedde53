package wiregen_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	rolesapi "github.com/insulahq/insula/modules/roles/api"
	usersapi "github.com/insulahq/insula/modules/users/api"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/secret"
)

// makeRole makes a role of the tenant's own as its owner does.
func (n *tenant) makeRole(t *testing.T, name string, permissions []string, parents ...string) rolesapi.Role {
	t.Helper()
	quoted := func(names []string) string {
		if len(names) == 0 {
			return "[]"
		}
		return `["` + strings.Join(names, `","`) + `"]`
	}
	body := fmt.Sprintf(`{"name":%q,"permissions":%s,"parents":%s}`, name, quoted(permissions), quoted(parents))
	return decode[rolesapi.Role](t, n.as().post(t, "/v1/roles", body), http.StatusCreated)
}

// role makes a role of no importance and returns its path.
func (n *tenant) role(t *testing.T, permissions ...string) string {
	t.Helper()
	return rolePath(n.makeRole(t, "r"+plain(someID()), permissions))
}

// builtIn is the path of a built-in role.
func (n *tenant) builtIn(t *testing.T, name string) string {
	t.Helper()
	all := decode[httpx.List[rolesapi.Role]](t, n.as().get(t, "/v1/roles"), http.StatusOK).Items
	i := slices.IndexFunc(all, func(r rolesapi.Role) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no role %s", name)
	}
	return rolePath(all[i])
}

// permission registers a permission of the tenant's own.
func (n *tenant) permission(t *testing.T, name string) {
	t.Helper()
	body := fmt.Sprintf(`{"name":%q,"summary":"Do it."}`, name)
	decode[rolesapi.Permission](t, n.as().post(t, "/v1/permissions", body), http.StatusCreated)
}

func rolePath(r rolesapi.Role) string { return "/v1/roles/" + r.ID.String() }

// change is what somebody sends to change a role, whatever its version.
func (c *client) change(t *testing.T, r rolesapi.Role, body string) *response {
	return c.with("If-Match", "*").call(t, "PATCH", rolePath(r), body)
}

// drop is what somebody sends to delete a role, whatever its version.
func (c *client) drop(t *testing.T, r rolesapi.Role, replacement string) *response {
	path := rolePath(r)
	if replacement != "" {
		path += "?replace_with=" + replacement
	}
	return c.with("If-Match", "*").call(t, "DELETE", path, "")
}

// seenBy is the same tenant as another node sees it.
func (n *tenant) seenBy(h *house) *tenant {
	there := *n
	there.h = h
	return &there
}

// nodes are two processes on one database and, if there is one, one Redis.
func nodes(t *testing.T, redis *miniredis.Miniredis) (one, two *house) {
	t.Helper()
	settings := func(c *config.Config) {
		if redis != nil {
			c.Redis.URL = secret.New("redis://" + redis.Addr() + "/0")
		}
	}
	return newHouse(t, settings), newHouse(t, settings)
}

// TestARevocationHoldsOnTheNextRequestOfEveryNode: whatever takes a permission
// away on one node, the next request on the other is refused; and what gives
// it is let in. With Redis, when it stops half way, and without it.
func TestARevocationHoldsOnTheNextRequestOfEveryNode(t *testing.T) {
	t.Parallel()
	for name, redis := range map[string]bool{"with Redis, which stops": true, "without Redis": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var server *miniredis.Miniredis
			if redis {
				server = miniredis.RunT(t)
			}
			one, two := nodes(t, server)
			here := one.tenant(t)
			there := here.seenBy(two)
			revocations(t, here, there)
			if redis {
				server.Close()
				revocations(t, here, there)
				revocations(t, there, here)
			}
		})
	}
}

// revocations changes things on one node and looks at once on the other.
func revocations(t *testing.T, here, there *tenant) {
	t.Helper()
	suffix := plain(someID())
	base := here.makeRole(t, "base-"+suffix, []string{"users.*"})
	clerk := here.makeRole(t, "clerk-"+suffix, []string{"files.list"}, base.Name)
	other := here.makeRole(t, "other-"+suffix, []string{"files.list"})
	p := here.user(t, clerk.Name)
	sees := func(step string, path string, want int) {
		t.Helper()
		for node, n := range map[string]*tenant{"the other node": there, "the same node": here} {
			if w := n.who(p).get(t, path); w.Code != want {
				t.Errorf("%s, on %s: %s answers %d, want %d", step, node, path, w.Code, want)
			}
		}
	}
	sees("before", "/v1/users", 200)
	sees("before", "/v1/roles", 403)
	mustDo(t, here.as().change(t, base, `{"permissions":["roles.*"]}`))
	sees("a parent's permissions changed", "/v1/users", 403)
	sees("a parent's permissions changed", "/v1/roles", 200)
	mustDo(t, here.as().change(t, clerk, `{"parents":[]}`))
	sees("a parent was taken", "/v1/roles", 403)
	sees("a parent was taken", "/v1/files", 200)
	mustDo(t, here.as().change(t, clerk, `{"permissions":[]}`))
	sees("a role was emptied", "/v1/files", 403)
	mustDo(t, here.as().change(t, clerk, `{"permissions":["users.list"]}`))
	sees("a role was filled", "/v1/users", 200)
	mustDo(t, here.as().drop(t, clerk, other.ID.String()))
	sees("a role was replaced", "/v1/users", 403)
	sees("a role was replaced", "/v1/files", 200)
	mustDo(t, here.as().with("If-Match", "*").call(t, "PUT", userPath(p)+"/roles", `{"roles":[]}`))
	sees("roles were taken", "/v1/files", 403)
}

// TestARoleEndsByItself: an assignment that ends is over at its instant, on
// every node, and so are the grants that were remembered with it.
func TestARoleEndsByItself(t *testing.T) {
	t.Parallel()
	one, two := nodes(t, nil)
	here := one.tenant(t)
	p := here.user(t)
	end := one.Clock.Now().Add(5 * time.Minute) // the token lives longer
	body := fmt.Sprintf(`{"roles":["auditor","member"],"ends":{"auditor":%q}}`, end.Format(time.RFC3339))
	u := decode[usersapi.User](t, here.as().with("If-Match", "*").call(t, "PUT", userPath(p)+"/roles", body), http.StatusOK)
	if !u.RolesEnd["auditor"].Equal(end) || len(u.RolesEnd) != 1 {
		t.Errorf("shown as %+v", u)
	}
	for _, h := range []*house{one, two} {
		n := here.seenBy(h)
		if w := n.who(p).get(t, "/v1/audit/events"); w.Code != 200 {
			t.Errorf("before its end: %d", w.Code)
		}
		tag := n.who(p).get(t, "/v1/me").Header().Get("ETag")
		if w := n.who(p).with("If-None-Match", tag).get(t, "/v1/me"); w.Code != 304 {
			t.Errorf("before its end with its tag: %d", w.Code)
		}
		h.clock.Set(end)
		if w := n.who(p).with("If-None-Match", tag).get(t, "/v1/me"); w.Code != 200 || w.Header().Get("ETag") == tag || strings.Contains(w.Body.String(), "auditor") {
			t.Errorf("after its end with the tag from before: %d %s", w.Code, w.Body)
		}
		mustDo(t, n.who(p).with("If-Match", tag).call(t, "PATCH", "/v1/me", fmt.Sprintf(`{"name":"Ada %s"}`, plain(someID()))))
		if w := n.who(p).get(t, "/v1/audit/events"); w.Code != 403 {
			t.Errorf("after its end: %d", w.Code)
		}
		if w := n.who(p).get(t, "/v1/files"); w.Code != 200 {
			t.Errorf("the other role: %d", w.Code)
		}
	}
}

// TestNobodyDealsInMoreThanTheyHold tries, as somebody who manages roles and
// users and reads files, to come by more.
func TestNobodyDealsInMoreThanTheyHold(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	manager := n.makeRole(t, "manager", []string{"roles.*", "users.*", "files.list"})
	strong := n.makeRole(t, "strong", []string{"files.delete"})
	weak := n.makeRole(t, "weak", []string{"files.list"})
	mine := n.makeRole(t, "mine", []string{"roles.get"})
	p := n.user(t, "manager", "mine")
	as := n.who(p)
	for name, w := range map[string]*response{
		"make a stronger role":            as.post(t, "/v1/roles", `{"name":"a","permissions":["files.delete"]}`),
		"make one by a wider pattern":     as.post(t, "/v1/roles", `{"name":"b","permissions":["files.*"]}`),
		"make one that inherits":          as.post(t, "/v1/roles", `{"name":"c","parents":["strong"]}`),
		"make an heir of admin":           as.post(t, "/v1/roles", `{"name":"d","parents":["admin"]}`),
		"fill one's own role":             as.change(t, mine, `{"permissions":["files.delete"]}`),
		"let one's own role inherit":      as.change(t, mine, `{"parents":["strong"]}`),
		"empty a stronger role":           as.change(t, strong, `{"permissions":[]}`),
		"delete a stronger role":          as.drop(t, strong, ""),
		"put a stronger one in its place": as.drop(t, weak, strong.ID.String()),
		"put admin in its place":          as.drop(t, weak, strings.TrimPrefix(n.builtIn(t, "admin"), "/v1/roles/")),
	} {
		t.Run(name, func(t *testing.T) { refused(t, w, http.StatusForbidden, "roles.beyond_you") })
	}
	path := userPath(p) + "/roles"
	refused(t, as.with("If-Match", "*").call(t, "PUT", path, `{"roles":["manager","strong"]}`), 403, "roles.beyond_own")
	refused(t, as.with("If-Match", "*").call(t, "PUT", path, `{"roles":["owner"]}`), 403, "roles.beyond_own")
	refused(t, as.post(t, "/v1/users", `{"email":"x@example.com","name":"X","roles":["admin"]}`), 403, "roles.beyond_own")
	if w := as.get(t, "/v1/audit/events"); w.Code != 403 {
		t.Errorf("came by more: %d", w.Code)
	}
	for name, w := range map[string]*response{
		"a role of what one holds": as.post(t, "/v1/roles", `{"name":"e","permissions":["users.*","files.list"],"parents":["manager"]}`),
		"one's own role":           as.change(t, mine, `{"permissions":["users.list"]}`),
		"one in another's place":   as.drop(t, weak, manager.ID.String()),
	} {
		if w.Code >= 300 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

func TestRolesKeepTheirRules(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	a := n.makeRole(t, "a", []string{"users.list"})
	b := n.makeRole(t, "b", nil, "a")
	n.makeRole(t, "c", nil, "b")
	user := n.user(t, "c")
	w := n.as().change(t, a, `{"parents":["c"]}`)
	refused(t, w, http.StatusConflict, "roles.cycle")
	if !strings.Contains(w.Body.String(), "a > c > b > a") && !strings.Contains(w.Body.String(), `a \u003e c \u003e b \u003e a`) {
		t.Errorf("the circle is not named: %s", w.Body)
	}
	refused(t, n.as().post(t, "/v1/roles", `{"name":"a"}`), 409, "roles.name_taken")
	refused(t, n.as().post(t, "/v1/roles", `{"name":"owner"}`), 409, "roles.name_taken")
	refused(t, n.as().post(t, "/v1/roles", `{"name":"x","permissions":["tenants.create"]}`), 422, "roles.invalid")
	refused(t, n.as().with("If-Match", "*").call(t, "PATCH", n.builtIn(t, "member"), `{"permissions":[]}`), 409, "roles.built_in")
	tag := n.as().get(t, rolePath(b)).Header().Get("ETag")
	if w := n.as().with("If-None-Match", tag).get(t, rolePath(b)); w.Code != 304 {
		t.Errorf("nothing has changed: %d", w.Code)
	}
	mustDo(t, n.as().change(t, a, `{"permissions":["users.list","users.get"]}`))
	if w := n.as().with("If-None-Match", tag).get(t, rolePath(b)); w.Code != 200 || !strings.Contains(w.Body.String(), "users.get") {
		t.Errorf("what it inherits has changed: %d %s", w.Code, w.Body)
	}
	mustDo(t, n.as().change(t, a, `{"permissions":["users.list"]}`))
	refused(t, n.as().drop(t, b, ""), 409, "roles.in_use")
	refused(t, n.as().drop(t, b, b.ID.String()), 422, "roles.replacement")
	refused(t, n.as().drop(t, b, someID()), 422, "roles.replacement")
	refused(t, n.as().call(t, "DELETE", rolePath(b), ""), 428, "precondition_required")
	refused(t, n.as().with("If-Match", `"v9"`).call(t, "DELETE", rolePath(b), ""), 412, "precondition_failed")
	if w := n.who(user).get(t, "/v1/users"); w.Code != 200 {
		t.Errorf("inherited by two steps: %d", w.Code)
	}
	changed := decode[rolesapi.Role](t, n.as().with("If-Match", `"v3"`).call(t, "PATCH", rolePath(a), `{"description":"Sees people"}`), 200)
	if changed.Description != "Sees people" || !slices.Equal(changed.Permissions, []string{"users.list"}) {
		t.Errorf("changed into %+v", changed)
	}
}

// TestABurstOfDenialsIsTwoRecords: the first is in the trail at once, how often
// it came again when the process stops or the window is over.
func TestABurstOfDenialsIsTwoRecords(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	p := n.user(t)
	for range 50 {
		refused(t, n.who(p).get(t, "/v1/users"), http.StatusForbidden, "forbidden")
	}
	query := "operation=users.list&outcome=denied"
	if records := n.events(t, query); len(records) != 1 {
		t.Fatalf("%d records during the burst", len(records))
	}
	h.Folds.Close()
	records := n.events(t, query)
	if len(records) != 2 {
		t.Fatalf("%d records after the burst", len(records))
	}
	if after, err := json.Marshal([]any{records[0].After, records[1].After}); err != nil || !strings.Contains(string(after), `"times":49`) {
		t.Errorf("the records tell %s, %v", after, err)
	}
}
