package wiregen_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	rolesapi "github.com/insulahq/insula/modules/roles/api"
	usersapi "github.com/insulahq/insula/modules/users/api"
	"github.com/insulahq/insula/platform/config"
)

// checks asks whether people have permissions.
func (c *client) checks(t *testing.T, questions ...rolesapi.AuthzCheck) *response {
	t.Helper()
	body, err := json.Marshal(rolesapi.AuthzChecks{Checks: questions})
	if err != nil {
		t.Fatal(err)
	}
	return c.post(t, "/v1/authz/check", string(body))
}

// about is a question; uuid.Nil asks about oneself, and about nobody's thing.
func about(user uuid.UUID, permission string, owner uuid.UUID) rolesapi.AuthzCheck {
	q := rolesapi.AuthzCheck{Permission: permission}
	if user != uuid.Nil {
		q.UserID = &user
	}
	if owner != uuid.Nil {
		q.Resource = &rolesapi.AuthzResource{OwnerID: &owner}
	}
	return q
}

// TestCheck asks about oneself and about others, about operations, permissions
// of the product and of the tenant, and about what one owns.
func TestCheck(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *config.Config) {
		c.Roles.Permissions = "shop.close=Close the shop.;shop.view:owner=See an order."
	})
	n := h.tenant(t)
	n.permission(t, "billing.refund")
	n.makeRole(t, "cashier", []string{"billing.*", "users.list"})
	cashier, nobody := n.user(t, "cashier"), n.user(t)
	gone := n.user(t, "cashier")
	mustDo(t, n.as().post(t, userPath(gone)+"/suspend", ""))
	me := uuid.Nil
	for _, tc := range []struct {
		by      person
		q       rolesapi.AuthzCheck
		allowed bool
		rule    string
	}{
		{cashier, about(me, "billing.refund", uuid.Nil), true, "role cashier"},
		{cashier, about(cashier.id, "users.list", uuid.Nil), true, "role cashier"},
		{cashier, about(me, "users.create", uuid.Nil), false, "no role"},
		{cashier, about(me, "shop.close", uuid.Nil), false, "no role"},
		{cashier, about(me, "billing.*", uuid.Nil), false, "unknown permission"},
		{cashier, about(me, "billing.made_up", uuid.Nil), false, "unknown permission"},
		{cashier, about(me, "me.get", uuid.Nil), true, "signed in"},
		{cashier, about(me, "auth.login", uuid.Nil), true, "public"},
		{cashier, about(me, "tenants.provision", uuid.Nil), false, "not this job"},
		{cashier, about(me, "shop.view", cashier.id), true, "owner"},
		{cashier, about(me, "shop.view", nobody.id), false, "no role, and not the owner"},
		{cashier, about(me, "billing.refund", nobody.id), true, "role cashier"},
		{nobody, about(me, "billing.refund", nobody.id), false, "no role"},
		{n.owner, about(me, "billing.refund", uuid.Nil), true, "role owner"},
		{n.owner, about(me, "tenants.create", uuid.Nil), false, "not the operator's tenant"},
		{n.owner, about(cashier.id, "billing.refund", uuid.Nil), true, "role cashier"},
		{n.owner, about(cashier.id, "shop.view", cashier.id), true, "owner"},
		{n.owner, about(nobody.id, "users.list", uuid.Nil), false, "no role"},
		{n.owner, about(gone.id, "billing.refund", uuid.Nil), false, "user not active"},
		{n.owner, about(uuid.Max, "me.get", uuid.Nil), false, "user not active"},
	} {
		got := decode[rolesapi.AuthzVerdicts](t, n.who(tc.by).checks(t, tc.q), http.StatusOK)
		if len(got.Results) != 1 || got.Results[0] != (rolesapi.AuthzVerdict{Allowed: tc.allowed, Rule: tc.rule}) || got.PolicyVersion < 3 {
			t.Errorf("%s asks for %+v: %+v, want %v %q", tc.by.email, tc.q, got, tc.allowed, tc.rule)
		}
	}
	w := n.who(cashier).checks(t, about(me, "me.get", me), about(nobody.id, "users.list", me))
	refused(t, w, http.StatusForbidden, "authz.others")
	refused(t, n.as().post(t, "/v1/authz/check", `{"checks":[]}`), 422, "invalid")
	many := make([]rolesapi.AuthzCheck, 100)
	for i := range many {
		many[i] = about([]uuid.UUID{cashier.id, nobody.id, me}[i%3], "billing.refund", me)
	}
	got := decode[rolesapi.AuthzVerdicts](t, n.as().checks(t, many...), http.StatusOK)
	for i, v := range got.Results {
		if v.Allowed != (i%3 != 1) {
			t.Errorf("answer %d: %+v", i, v)
		}
	}
	refused(t, n.as().checks(t, append(many, many[0])...), 422, "invalid")
}

func TestExplain(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	n.permission(t, "billing.refund")
	n.makeRole(t, "reader", []string{"billing.*"})
	n.makeRole(t, "clerk", nil, "reader")
	n.makeRole(t, "lead", []string{"users.list"}, "clerk", "member")
	p := n.user(t, "lead", "auditor")
	for _, tc := range []struct{ permission, rule, role, path, entry, origin string }{
		{"billing.refund", "role lead", "lead", "lead clerk reader", "billing.*", "tenant"},
		{"users.list", "role auditor", "auditor", "auditor", "", "operation"},
		{"files.create", "role lead", "lead", "lead member", "", "operation"},
		{"users.create", "no role", "", "", "", "operation"},
		{"users.fly", "unknown permission", "", "", "", ""},
	} {
		body := fmt.Sprintf(`{"user_id":%q,"permission":%q}`, p.id, tc.permission)
		got := decode[rolesapi.AuthzExplanation](t, n.as().post(t, "/v1/authz/explain", body), http.StatusOK)
		if got.Allowed != (tc.role != "") || got.Rule != tc.rule || got.Role != tc.role || strings.Join(got.Path, " ") != tc.path || got.Entry != tc.entry ||
			string(got.Origin) != tc.origin || strings.Join(got.Roles, " ") != "auditor lead" || got.UserID == nil || *got.UserID != p.id || got.PolicyVersion != 5 {
			t.Errorf("%s: %+v", tc.permission, got)
		}
	}
	mustDo(t, n.as().post(t, userPath(p)+"/suspend", ""))
	body := fmt.Sprintf(`{"user_id":%q,"permission":"users.list"}`, p.id)
	if got := decode[rolesapi.AuthzExplanation](t, n.as().post(t, "/v1/authz/explain", body), http.StatusOK); got.Allowed || got.Rule != "user not active" || got.Role != "auditor" {
		t.Errorf("suspended: %+v", got)
	}
}

// TestKeysAnswerWithinTheirScope: whoever asks with a key is that key, and a
// key can be asked about.
func TestKeysAnswerWithinTheirScope(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	n.permission(t, "billing.refund")
	n.makeRole(t, "clerk", []string{"users.*", "apikeys.*", "billing.refund"})
	clerk := n.user(t, "clerk")
	key := func(by person, operations string) usersapi.CreatedAPIKey {
		body := fmt.Sprintf(`{"name":"k","operations":[%s],"expires_at":%q}`, operations, noon.Add(24*time.Hour).Format(time.RFC3339))
		return decode[usersapi.CreatedAPIKey](t, n.who(by).post(t, "/v1/api-keys", body), http.StatusCreated)
	}
	narrow := key(clerk, `"users.list"`)
	asking := key(n.owner, `"authz.explain","users.list"`)
	as := n.stranger().with("Authorization", "Bearer "+asking.Key)
	theirs := func(permission string) rolesapi.AuthzCheck {
		return rolesapi.AuthzCheck{APIKeyID: &narrow.ID, Permission: permission}
	}
	nobodys := theirs("users.list")
	nobodys.UserID = &n.owner.id
	for _, tc := range []struct {
		q       rolesapi.AuthzCheck
		allowed bool
		rule    string
		role    string
		scope   string
	}{
		{about(uuid.Nil, "users.list", uuid.Nil), true, "role owner", "owner", "authz.explain users.list"},
		{about(n.owner.id, "users.create", uuid.Nil), false, "outside the key's scope", "owner", "authz.explain users.list"},
		{theirs("users.list"), true, "role clerk", "clerk", "users.list"},
		{theirs("billing.refund"), false, "outside the key's scope", "clerk", "users.list"},
		{theirs("me.get"), false, "outside the key's scope", "", "users.list"},
		{about(clerk.id, "billing.refund", uuid.Nil), true, "role clerk", "clerk", ""},
		{nobodys, false, "no such key of the user, or it has expired", "", ""},
	} {
		verdict := decode[rolesapi.AuthzVerdicts](t, as.checks(t, tc.q), http.StatusOK).Results[0]
		body, err := json.Marshal(tc.q)
		if err != nil {
			t.Fatal(err)
		}
		e := decode[rolesapi.AuthzExplanation](t, as.post(t, "/v1/authz/explain", string(body)), http.StatusOK)
		if verdict != (rolesapi.AuthzVerdict{Allowed: tc.allowed, Rule: tc.rule}) || e.Allowed != tc.allowed || e.Rule != tc.rule ||
			e.Role != tc.role || strings.Join(e.Scope, " ") != tc.scope {
			t.Errorf("%s: check %+v, explain %+v", body, verdict, e)
		}
	}
	self := n.stranger().with("Authorization", "Bearer "+narrow.Key)
	if got := decode[rolesapi.AuthzVerdicts](t, self.checks(t, about(uuid.Nil, "billing.refund", uuid.Nil)), http.StatusOK); got.Results[0].Allowed {
		t.Errorf("a key with no scope for it: %+v", got)
	}
	refused(t, self.checks(t, about(n.owner.id, "users.list", uuid.Nil)), http.StatusForbidden, "authz.others")
	refused(t, n.who(clerk).checks(t, theirs("users.list")), http.StatusForbidden, "authz.others")
	mustDo(t, n.as().call(t, "DELETE", "/v1/api-keys/"+narrow.ID.String(), ""))
	if w := as.checks(t, theirs("users.list")); !strings.Contains(w.Body.String(), "no such key") {
		t.Errorf("a revoked key: %s", w.Body)
	}
}

// TestAPermissionIsNoOperation: what a tenant registers is checked and held
// like an operation, opens nothing, and never takes the place of one.
func TestAPermissionIsNoOperation(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	for _, name := range []string{"users.fly", "files.create", "me.get", "authz.check", "tenants.rule", "roles.x.y"} {
		refused(t, n.as().post(t, "/v1/permissions", fmt.Sprintf(`{"name":%q,"summary":"Fly."}`, name)), 422, "roles.invalid")
	}
	n.permission(t, "billing.refund")
	refused(t, n.as().post(t, "/v1/permissions", `{"name":"billing.refund","summary":"Again."}`), 409, "permissions.taken")
	clerk := n.makeRole(t, "clerk", []string{"billing.refund"})
	refused(t, n.as().call(t, "DELETE", "/v1/permissions/billing.refund", ""), 409, "permissions.in_use")
	mustDo(t, n.as().change(t, clerk, `{"permissions":[]}`))
	mustDo(t, n.as().call(t, "DELETE", "/v1/permissions/billing.refund", ""))
	refused(t, n.as().change(t, clerk, `{"permissions":["billing.refund"]}`), 422, "roles.invalid")
	elsewhere := n.h.tenant(t)
	n.permission(t, "billing.refund")
	if w := elsewhere.as().checks(t, about(uuid.Nil, "billing.refund", uuid.Nil)); !strings.Contains(w.Body.String(), "unknown permission") {
		t.Errorf("another tenant knows it: %s", w.Body)
	}
}

// TestOwnersWorkWithTheirOwn: who may add files and nothing else sees, reads
// and deletes those they added; of others' they do not even learn whether
// there are any.
func TestOwnersWorkWithTheirOwn(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	n.makeRole(t, "contributor", []string{"files.create", "files.upload"})
	p := n.user(t, "contributor")
	as := n.who(p).with("If-Match", "*")
	theirs := n.file(t)
	mustDo(t, n.as().call(t, "PUT", theirs+"/content", "hello"))
	mine := "/v1/files/" + decode[struct{ ID string }](t, as.post(t, "/v1/files", `{"name":"mine.txt","size":5}`), http.StatusCreated).ID
	mustDo(t, as.call(t, "PUT", mine+"/content", "hello"))
	for _, r := range []struct{ method, path, operation string }{
		{"GET", "", "files.get"}, {"GET", "/content", "files.download"}, {"DELETE", "", "files.delete"},
	} {
		for _, path := range []string{theirs, "/v1/files/" + someID()} {
			w := as.call(t, r.method, path+r.path, "")
			refused(t, w, http.StatusForbidden, "forbidden")
			records := n.records(t, w)
			if len(records) != 1 || records[0].Operation != r.operation || records[0].Outcome != "denied" || records[0].Rule != "not the owner" {
				t.Errorf("%s of %s is recorded as %+v", r.operation, path, records)
			}
		}
		w := as.call(t, r.method, mine+r.path, "")
		if w.Code >= 300 {
			t.Errorf("%s of one's own: %d %s", r.operation, w.Code, w.Body)
		}
		if records := n.records(t, w); r.method == "DELETE" && (len(records) != 1 || records[0].Rule != "owner") {
			t.Errorf("recorded as %+v", records)
		}
	}
	refused(t, as.get(t, "/v1/files"), http.StatusForbidden, "forbidden")
	mustDo(t, n.as().get(t, theirs))
}
