package wiregen_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
)

// What the tests of the whole house must know about the end of a tenant.
var _ = show(exhibit{
	permissions: map[string]string{"tenants.delete": landlords, "tenants.undelete": landlords},
	done: map[string]deed{
		"tenants.delete": {func(t *testing.T, n *tenant) *response { return n.remove(t, n.customer(t)) }, "tenant"},
		"tenants.undelete": {func(t *testing.T, n *tenant) *response {
			path := n.customer(t)
			mustDo(t, n.remove(t, path))
			return n.as().post(t, path+"/undelete", "")
		}, "tenant"},
	},
	failed: map[string]attempt{
		"tenants.delete": {func(t *testing.T, n *tenant) *response {
			return n.remove(t, "/v1/tenants/"+n.id.String())
		}, "tenants.landlord", true},
		"tenants.undelete": {func(t *testing.T, n *tenant) *response {
			return n.as().post(t, n.customer(t)+"/undelete", "")
		}, "tenants.status", true},
	},
})

// remove deletes a tenant, as the operator.
func (n *tenant) remove(t *testing.T, path string) *response {
	t.Helper()
	return n.as().with("If-Match", "*").call(t, "DELETE", path, "")
}

// TestWhatTheOperatorDoesHoldsOnEveryNode: suspend, resume, delete and undelete
// at one node hold at the next request of the other, which knows the tenant,
// with its token and as a stranger.
func TestWhatTheOperatorDoesHoldsOnEveryNode(t *testing.T) {
	t.Parallel()
	here, away := newHouse(t), newHouse(t)
	n, operator := here.tenant(t), here.operator(t)
	there := *n
	there.h = away
	path := "/v1/tenants/" + n.id.String()
	login := func(x *tenant) *response { return x.login(t, n.owner.email, n.owner.password) }
	open := func(when string) {
		for _, x := range []*tenant{n, &there} {
			for _, w := range []*response{x.as().get(t, "/v1/users"), login(x)} {
				if w.Code != http.StatusOK {
					t.Errorf("%s: %d %s", when, w.Code, w.Body)
				}
			}
		}
	}
	shut := func(token, stranger int, tokenCode, strangerCode string) {
		for _, x := range []*tenant{n, &there} {
			refused(t, x.as().get(t, "/v1/users"), token, tokenCode)
			refused(t, login(x), stranger, strangerCode)
		}
	}
	open("at first")
	mustDo(t, operator.as().post(t, path+"/suspend", ""))
	shut(http.StatusForbidden, http.StatusForbidden, "tenant_suspended", "tenant_suspended")
	mustDo(t, operator.as().post(t, path+"/resume", ""))
	open("resumed")

	refused(t, operator.as().call(t, "DELETE", path, ""), http.StatusPreconditionRequired, "precondition_required")
	deleted := decode[tenantsapi.DeletedTenant](t, operator.remove(t, path), http.StatusOK)
	if want := here.clock.Now().Add(720 * time.Hour); deleted.Status != "deleting" || !deleted.EraseAfter.Equal(want) {
		t.Errorf("deleted %+v, to be erased after %s", deleted, want)
	}
	shut(http.StatusNotFound, http.StatusNotFound, "tenant_unknown", "tenant_unknown")
	refused(t, operator.remove(t, path), http.StatusConflict, "tenants.status")
	mustDo(t, operator.as().post(t, path+"/undelete", ""))
	open("brought back")
	for _, action := range []string{"tenants.suspend", "tenants.resume", "tenants.delete", "tenants.undelete"} {
		if found := n.events(t, "operation="+action+"&outcome=done"); len(found) != 1 {
			t.Errorf("the tenant's own trail has %d records of %s", len(found), action)
		}
	}
}

// TestUndeleteBringsBackWhatWas: a suspended tenant is suspended again.
func TestUndeleteBringsBackWhatWas(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	path := "/v1/tenants/" + n.id.String()
	mustDo(t, operator.as().post(t, path+"/suspend", ""))
	mustDo(t, operator.remove(t, path))
	if due, err := h.Ledger.Due(t.Context(), h.clock.Now().Add(719*time.Hour)); err != nil || slices.Contains(due, n.id) {
		t.Errorf("due before the grace is over: %v, %v", due, err)
	}
	if due, err := h.Ledger.Due(t.Context(), h.clock.Now().Add(720*time.Hour)); err != nil || !slices.Contains(due, n.id) {
		t.Errorf("not due after the grace: %v, %v", due, err)
	}
	back := decode[tenantsapi.Tenant](t, operator.as().post(t, path+"/undelete", ""), http.StatusOK)
	if back.Status != "suspended" {
		t.Errorf("back as %s", back.Status)
	}
}
