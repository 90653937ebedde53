package infra_test

import (
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// userWith founds a user with some roles.
func userWith(t *testing.T, f pgtest.Fixture, names ...string) uuid.UUID {
	t.Helper()
	user := id.System{}.New()
	f.Write(t, func(tx uow.Tx) error { return assignments.Found(t.Context(), tx, user, names) })
	return user
}

func grantsOf(t *testing.T, f pgtest.Fixture, as tenancy.Tenant, user uuid.UUID) *authn.Grants {
	t.Helper()
	var g *authn.Grants
	f.Read(t, func(tx uow.Tx) (err error) {
		g, err = resolver.Grants(t.Context(), tx, as, user)
		return err
	})
	return g
}

func TestGrants(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	addRole(t, f, "clerk", "users.create", "users.fly", "tenants.create")
	addRole(t, f, "abacus", "files.list", "audit.events.list")
	operator := f.Tenant
	operator.Kind = tenancy.Landlord
	for _, tc := range []struct {
		name  string
		at    tenancy.Tenant
		roles []string
		want  map[string]string // operation -> role
	}{
		{"nothing", f.Tenant, nil, map[string]string{}},
		{"owner", f.Tenant, []string{roles.Owner}, map[string]string{
			"audit.events.list": roles.Owner, "files.create": roles.Owner, "files.list": roles.Owner, "users.create": roles.Owner, "users.list": roles.Owner,
		}},
		{"owner at the operator's", operator, []string{roles.Owner}, map[string]string{
			"audit.events.list": roles.Owner, "files.create": roles.Owner, "files.list": roles.Owner, "users.create": roles.Owner, "users.list": roles.Owner,
			"tenants.create": roles.Owner,
		}},
		{"two built-in roles", f.Tenant, []string{roles.Member, roles.Auditor}, map[string]string{
			"audit.events.list": roles.Auditor, "files.create": roles.Member, "files.list": roles.Auditor, "users.list": roles.Auditor,
		}},
		{"own roles", f.Tenant, []string{"clerk", "abacus"}, map[string]string{
			"users.create": "clerk", "files.list": "abacus", "audit.events.list": "abacus",
		}},
		{"own roles at the operator's", operator, []string{"clerk"}, map[string]string{"users.create": "clerk", "tenants.create": "clerk"}},
		{"own and built-in roles", f.Tenant, []string{"clerk", roles.Member}, map[string]string{
			"users.create": "clerk", "files.create": roles.Member, "files.list": roles.Member, "users.list": roles.Member,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			user := userWith(t, f, tc.roles...)
			for range 2 { // the second time a combination of built-in roles is known
				got := grantsOf(t, f, tc.at, user)
				if got.Len() != len(tc.want) {
					t.Errorf("holds %d operations, want %d", got.Len(), len(tc.want))
				}
				for operation, role := range tc.want {
					if from, _ := got.Role(operation); from != role {
						t.Errorf("%s comes from %q, want %q", operation, from, role)
					}
				}
				if !slices.Equal(got.Roles(), slices.Sorted(slices.Values(tc.roles))) {
					t.Errorf("roles are %v", got.Roles())
				}
			}
		})
	}
}

func TestBuiltInCombinationsAreShared(t *testing.T) {
	t.Parallel()
	a, b := tenant(t), tenant(t)
	addRole(t, a, "clerk", "users.create")
	one := grantsOf(t, a, a.Tenant, userWith(t, a, roles.Member, roles.Auditor))
	two := grantsOf(t, b, b.Tenant, userWith(t, b, roles.Auditor, roles.Member))
	if one != two {
		t.Error("two tenants do not share the set of the same built-in roles")
	}
	own := userWith(t, a, "clerk")
	first, second := grantsOf(t, a, a.Tenant, own), grantsOf(t, a, a.Tenant, own)
	if first == second {
		t.Error("a role of the tenant's own was kept beyond the request")
	}
}
