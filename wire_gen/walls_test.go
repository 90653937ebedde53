package wiregen_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	auditapi "github.com/insulahq/insula/modules/audit/api"
	rolesapi "github.com/insulahq/insula/modules/roles/api"
	usersapi "github.com/insulahq/insula/modules/users/api"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/op"
)

// bodies are right for the operations that take one, so that nothing but the
// id can be wrong.
var bodies = map[string]string{
	"files.upload":    "hello",
	"me.update":       `{"name":"Mallory"}`,
	"users.update":    `{"name":"Mallory"}`,
	"users.roles.set": `{"roles":[]}`,
	"roles.update":    `{"permissions":[]}`,
}

// things are ids of a tenant, by the kind of thing that operations are about.
func (n *tenant) things(t *testing.T) map[string][]string {
	t.Helper()
	p := n.user(t, "member")
	file := strings.TrimPrefix(n.file(t), "/v1/files/")
	mustDo(t, n.as().call(t, "PUT", "/v1/files/"+file+"/content", "hello"))
	n.permission(t, "billing.refund")
	own := n.makeRole(t, "clerk", []string{"users.list"})
	roles := decode[httpx.List[rolesapi.Role]](t, n.as().get(t, "/v1/roles"), http.StatusOK)
	sessions := decode[httpx.List[usersapi.UserSession]](t, n.who(p).get(t, "/v1/me/sessions"), http.StatusOK)
	all := map[string][]string{
		"user": {p.id.String(), n.owner.id.String()}, "file": {file, strings.TrimPrefix(n.file(t), "/v1/files/")},
		"role": {own.ID.String(), roles.Items[1].ID.String()}, "permission": {"billing.refund"}, "session": {sessions.Items[0].ID.String()},
		"audit_event": {n.events(t, "")[0].ID.String()},
	}
	for _, e := range exhibits {
		if e.thing != nil {
			all[e.kind] = append(all[e.kind], e.thing(t, n))
		}
	}
	return all
}

// TestAnotherTenantsIDsAreUnknown tries every operation that names a thing
// with things of another tenant: 404, like for an id that nothing has, and
// nothing there has changed. What was asked for stands in the trail of who
// asked.
func TestAnotherTenantsIDsAreUnknown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a, b := h.tenant(t), h.tenant(t)
	theirs, before := b.things(t), b.rows(t)
	for name, r := range h.routes(t) {
		if !r.takesID() || r.Guard == op.ByLandlord {
			continue
		}
		if len(theirs[r.Kind]) == 0 {
			t.Errorf("%s is about a %q, of which the other tenant has none", name, r.Kind)
		}
		for _, id := range theirs[r.Kind] {
			c := a.as().with("If-Match", "*")
			w := c.call(t, r.method, r.about(id), bodies[name])
			nothing := c.call(t, r.method, r.about(someID()), bodies[name])
			if w.Code != http.StatusNotFound || codeOf(w) != codeOf(nothing) || nothing.Code != http.StatusNotFound {
				t.Errorf("%s: %d %s, for an id that nothing has %d %s", name, w.Code, w.Body, nothing.Code, nothing.Body)
			}
			records := a.records(t, w)
			if len(records) != 1 || records[0].Operation != name || records[0].Outcome != "failed" || targetOf(records[0]) != id {
				t.Errorf("%s is recorded as %+v", name, records)
			}
		}
	}
	if after := b.rows(t); !reflect.DeepEqual(before, after) {
		for table := range after {
			if !slices.Equal(before[table], after[table]) {
				t.Errorf("table %s of the other tenant had\n%s\nand has\n%s", table, before[table], after[table])
			}
		}
	}
}

// TestLandlordOperationsNeedTheLandlord: an owner elsewhere cannot reach the
// registry, not even for their own tenant.
func TestLandlordOperationsNeedTheLandlord(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	for name, r := range h.routes(t) {
		if r.Guard != op.ByLandlord {
			continue
		}
		w := n.as().with("If-Match", "*").call(t, r.method, r.about(n.id.String()), `{"name":"Mine","slug":"mine","admin_email":"a@example.com"}`)
		if refused(t, w, http.StatusForbidden, "forbidden"); t.Failed() {
			t.Fatal(name)
		}
	}
}

// lists are the operations that page, each with a filter that finds what the
// plain list finds.
var lists = map[string]string{
	"/v1/users":        "status=active",
	"/v1/files":        "status=pending",
	"/v1/roles":        "",
	"/v1/audit/events": "outcome=done",
	"/v1/me/sessions":  "",
	"/v1/invitations":  "",
}

// stocked has at least three items in every list.
func (h *house) stocked(t *testing.T) *tenant {
	t.Helper()
	n := h.tenant(t)
	for range 3 {
		n.user(t)
		n.file(t)
		n.owner.signIn(t, n)
		n.invite(t, uuid.NewString()+"@example.com")
		for _, e := range exhibits {
			if e.thing != nil {
				e.thing(t, n)
			}
		}
	}
	return n
}

type anyList = httpx.List[struct{ ID uuid.UUID }]

// TestCursorsBelongToTheirList: a cursor works in the list it came from, with
// the same tenant and filter, and nowhere else.
func TestCursorsBelongToTheirList(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a, b := h.stocked(t), h.stocked(t)
	cursors := map[string]string{}
	for path, filter := range lists {
		cursor := decode[anyList](t, a.as().get(t, path+"?limit=1&"+filter), http.StatusOK).NextCursor
		if cursor == "" {
			t.Fatalf("%s has one page only", path)
		}
		cursors[path] = cursor
		if w := a.as().get(t, path+"?limit=2&"+filter+"&cursor="+cursor); w.Code != http.StatusOK {
			t.Errorf("%s: its own cursor: %d %s", path, w.Code, w.Body)
		}
		refused(t, b.as().get(t, path+"?limit=1&"+filter+"&cursor="+cursor), http.StatusUnprocessableEntity, "invalid_cursor")
		if filter != "" {
			refused(t, a.as().get(t, path+"?limit=1&cursor="+cursor), http.StatusUnprocessableEntity, "invalid_cursor")
		}
	}
	for path := range lists {
		for other, cursor := range cursors {
			if other != path {
				refused(t, a.as().get(t, path+"?"+lists[path]+"&cursor="+cursor), http.StatusUnprocessableEntity, "invalid_cursor")
			}
		}
	}
	refused(t, a.who(a.user(t)).get(t, "/v1/me/sessions?cursor="+cursors["/v1/me/sessions"]), http.StatusUnprocessableEntity, "invalid_cursor")
}

// TestEveryListHasItsCursorTested: a new list needs a line in lists.
func TestEveryListHasItsCursorTested(t *testing.T) {
	t.Parallel()
	// One page; the landlord's alone; tested as their modules' own.
	listed := map[string]bool{"/v1/permissions": true, "/v1/tenants": true, "/v1/tenants/{id}/backups": true, "/v1/users/{id}/sessions": true, "/v1/files/{id}/shares": true}
	for path := range lists {
		listed[path] = true
	}
	for name, r := range newHouse(t).routes(t) {
		if strings.HasSuffix(name, ".list") && !listed[r.path] {
			t.Errorf("%s has no line in lists", name)
		}
	}
}

// TestCursorsCannotBeMade: a cursor that was changed in any way is refused.
func TestCursorsCannotBeMade(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.stocked(t)
	cursor := decode[anyList](t, n.as().get(t, "/v1/users?limit=1"), http.StatusOK).NextCursor
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	rapid.Check(t, func(r *rapid.T) {
		forged := []byte(cursor)
		for range rapid.IntRange(1, 4).Draw(r, "changes") {
			forged[rapid.IntRange(0, len(forged)-1).Draw(r, "at")] = letters[rapid.IntRange(0, 63).Draw(r, "letter")]
		}
		text := string(forged[:rapid.IntRange(1, len(forged)).Draw(r, "length")])
		if text == cursor {
			r.Skip("nothing changed")
		}
		refused(r, n.as().get(r, "/v1/users?limit=1&cursor="+text), http.StatusUnprocessableEntity, "invalid_cursor")
	})
}

// TestPagesHoldEverythingOnce walks every list in pages of two.
func TestPagesHoldEverythingOnce(t *testing.T) {
	t.Parallel()
	n := newHouse(t).stocked(t)
	for path, filter := range lists {
		if path == "/v1/audit/events" {
			continue // it grows by being read
		}
		whole := decode[anyList](t, n.as().get(t, path+"?limit=200&"+filter), http.StatusOK).Items
		var paged []struct{ ID uuid.UUID }
		for cursor := ""; ; {
			page := decode[anyList](t, n.as().get(t, fmt.Sprintf("%s?limit=2&%s&cursor=%s", path, filter, cursor)), http.StatusOK)
			paged = append(paged, page.Items...)
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		if len(whole) < 3 || !slices.Equal(whole, paged) {
			t.Errorf("%s: %v in one page, %v in pages of two", path, whole, paged)
		}
	}
}

// TestTheTrailOfOneTenantIsItsOwn: two tenants with the same people and deeds
// see no event of each other.
func TestTheTrailOfOneTenantIsItsOwn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a, b := h.stocked(t), h.stocked(t)
	seen := map[uuid.UUID]auditapi.AuditEvent{}
	for _, e := range a.events(t, "") {
		seen[e.ID] = e
	}
	for _, e := range b.events(t, "") {
		if mine, both := seen[e.ID]; both || e.Actor.Label == a.owner.email {
			t.Errorf("both see %+v %+v", e, mine)
		}
	}
	if len(seen) == 0 {
		t.Error("nothing seen")
	}
}
