package wiregen_test

import (
	"net/http"
	"slices"
	"testing"

	usageapi "github.com/insulahq/insula/modules/usage/api"
)

// What the tests of the whole house must know about usage.
var _ = show(exhibit{permissions: map[string]string{"usage.get": readers, "tenants.usage.get": landlords}})

// used is what a client is told.
func (c *client) used(t *testing.T, path string) (usageapi.TenantUsage, map[string]int64) {
	t.Helper()
	u := decode[usageapi.TenantUsage](t, c.get(t, path), http.StatusOK)
	amounts := map[string]int64{}
	for _, a := range u.Amounts {
		amounts[a.Name] = a.Amount
	}
	return u, amounts
}

// flushed makes nodes tell of the requests that they have counted.
func flushed(t *testing.T, nodes ...*house) {
	t.Helper()
	for _, h := range nodes {
		if err := h.Requests.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

const today = "2026-05-01" // noon

// TestUsageIsTheSameForBothSides: the tenant and the operator are told the same,
// on every node, and each counts what it has served.
func TestUsageIsTheSameForBothSides(t *testing.T) {
	t.Parallel()
	here, away := nodes(t, nil)
	n, operator := here.tenant(t), here.operator(t)
	n.user(t, "member")
	n.invite(t, "invited@example.com", "member")
	n.fileID(t, "a.txt", "hello")
	flushed(t, here, away)
	before, _ := n.as().used(t, "/v1/usage/tenant")

	n.adjust(t, here, `{"tenants.requests_per_second":3}`)
	mustDo(t, n.seenBy(away).as().get(t, "/v1/users"))
	n.seenBy(away).as().flood(t)
	refused(t, n.as().get(t, "/v1/tenants"), http.StatusForbidden, "forbidden")
	flushed(t, here, away)
	here.clock.Advance(1e9)
	there := operator.as()
	for name, c := range map[string]func() (usageapi.TenantUsage, map[string]int64){
		"the tenant": func() (usageapi.TenantUsage, map[string]int64) { return n.as().used(t, "/v1/usage/tenant") },
		"the operator": func() (usageapi.TenantUsage, map[string]int64) {
			return there.used(t, "/v1/tenants/"+n.id.String()+"/usage")
		},
	} {
		u, amounts := c()
		if u.TenantID != n.id || u.Slug != n.slug || !u.MeasuredAt.Equal(here.clock.Now()) {
			t.Errorf("%s is told of %+v", name, u)
		}
		if amounts["users.total"] != 3 || amounts["users.active"] != 2 || amounts["files.count"] != 1 || amounts["files.bytes"] != 5 || amounts["database.bytes"] < 100_000 {
			t.Errorf("%s is told %v", name, amounts)
		}
		if len(u.Requests) != 1 || len(before.Requests) != 1 || u.Requests[0].Day != today || u.Requests[0].Limited != 3 ||
			u.Requests[0].Answered < before.Requests[0].Answered+3 || u.Requests[0].Failed != 0 {
			t.Errorf("%s is told %+v after %+v", name, u.Requests, before.Requests)
		}
	}
}

// TestUsageIsForWhoMaySeeIt, and only of days that can be asked for.
func TestUsageIsForWhoMaySeeIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	of := "/v1/tenants/" + n.id.String() + "/usage"
	refused(t, n.who(n.user(t, "member")).get(t, "/v1/usage/tenant"), http.StatusForbidden, "forbidden")
	refused(t, n.as().get(t, of), http.StatusForbidden, "forbidden")
	refused(t, n.stranger().get(t, of), http.StatusUnauthorized, "unauthenticated")
	refused(t, operator.as().get(t, "/v1/tenants/"+someID()+"/usage"), http.StatusNotFound, "tenant_unknown")
	for query, code := range map[string]string{
		"?from=yesterday": "invalid", "?to=2026-13-01": "invalid", "?from=2026-05-02": "usage.span", "?from=2024-01-01": "usage.span", "?since=2026-01-01": "invalid",
	} {
		refused(t, operator.as().get(t, of+query), http.StatusUnprocessableEntity, code)
	}
	if u, _ := operator.as().used(t, of+"?from=2026-04-01&to=2026-04-30"); len(u.Requests) != 0 {
		t.Errorf("requests of other days: %+v", u.Requests)
	}
}

// TestRequestsCountForWhoSentThem: a token that proves nothing counts for
// nobody, whatever tenant the request names; a suspended tenant is still measured.
func TestRequestsCountForWhoSentThem(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	of := "/v1/tenants/" + n.id.String()
	flushed(t, h)
	before, _ := operator.as().used(t, of+"/usage")
	refused(t, n.stranger().with("Authorization", "Bearer made-up").get(t, "/v1/users"), http.StatusUnauthorized, "unauthenticated")
	refused(t, n.stranger().get(t, "/v1/users"), http.StatusUnauthorized, "unauthenticated")
	mustDo(t, operator.as().with("If-Match", "*").post(t, of+"/suspend", ""))
	flushed(t, h)
	after, amounts := operator.as().used(t, of+"/usage")
	if !slices.Equal(before.Requests, after.Requests) || amounts["users.total"] != 1 {
		t.Errorf("%+v, then %+v with %v", before.Requests, after.Requests, amounts)
	}
	refused(t, n.as().get(t, "/v1/users"), http.StatusForbidden, "tenant_suspended")
	flushed(t, h)
	if last, _ := operator.as().used(t, of+"/usage"); last.Requests[0].Answered != after.Requests[0].Answered+1 {
		t.Errorf("%+v, then %+v after a refusal", after.Requests, last.Requests)
	}
}

// TestUsageStaysWithItsTenant: a move takes it along, a clone begins with
// nothing, an erasure leaves nothing, and what a process still had in memory then
// does not come back.
func TestUsageStaysWithItsTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	path := "/v1/tenants/" + n.id.String()
	flushed(t, h)
	before, _ := operator.as().used(t, path+"/usage")
	operator.moved(t, n, second)
	after, amounts := operator.as().used(t, path+"/usage")
	if !slices.Equal(before.Requests, after.Requests) || amounts["database.bytes"] < 100_000 {
		t.Errorf("after the move %+v and %v", after.Requests, amounts)
	}
	mustDo(t, n.as().get(t, "/v1/users")) // still in memory
	n.delete(t)
	mustDo(t, operator.as().post(t, path+"/erase", `{"slug":"`+n.slug+`"}`))
	h.erased(t, n)
	flushed(t, h)
	if left := h.number(t, "SELECT count(*) FROM control.usage_days WHERE tenant_id = $1", n.id); left != 0 {
		t.Errorf("%d days are left of an erased tenant", left)
	}
}
