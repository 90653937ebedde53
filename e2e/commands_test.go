package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestCommandsAreRecordedOnBothSides: what somebody does to a tenant with the
// binary stands in the trail of the tenant and in the operator's.
func TestCommandsAreRecordedOnBothSides(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t)
	l := s.found(t, v)
	n := l.newTenant(t, "commanded")
	slug := fmt.Sprintf("made-%d", slugs.Add(1))
	s.insula(t, "tenant", "create", "--slug", slug, "--name", "Made", "--admin-email", "a@"+slug+".example")
	s.insula(t, "tenant", "invite", "--slug", slug)
	s.insula(t, "audit", "verify", "--tenant", n.slug)
	s.insula(t, "audit", "export", "--tenant", n.slug)

	for _, tc := range []struct {
		operation, about string
		in               []client
	}{
		{"tenants.create", slug, []client{l.operator}},
		{"tenants.invite_admin", slug, []client{l.operator}},
		{"audit.verify", n.slug, []client{l.operator, n.owner}},
		{"audit.export", n.slug, []client{l.operator, n.owner}},
	} {
		for _, c := range tc.in {
			found := 0
			for _, e := range c.trail(t, "operation="+tc.operation) {
				if e.Actor.Kind != "operator" || e.Target == nil || e.Target.Label != tc.about && e.Target.ID != n.id {
					continue
				}
				found++
				if e.Outcome != "done" || !strings.HasSuffix(e.Actor.Label, " at the command line") {
					t.Errorf("%s in the trail of %s: %+v", tc.operation, c.tenant, e)
				}
			}
			if found != 1 {
				t.Errorf("%s is in the trail of %s %d times", tc.operation, c.tenant, found)
			}
		}
	}
	c := client{api: v.api, tenant: slug}
	if status := c.do(t, "GET", "/v1/audit/key", "").status; status != http.StatusOK {
		t.Errorf("the tenant that was made answers %d", status)
	}
}
