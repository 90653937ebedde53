package infra_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
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
	version := versionOf(t, f)
	f.Read(t, func(tx uow.Tx) (err error) {
		g, err = resolver.Grants(t.Context(), tx, as, user, version)
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

func TestUsersWithTheSameRolesShareASet(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	addRole(t, f, "clerk", "users.create")
	one := grantsOf(t, f, f.Tenant, userWith(t, f, roles.Member, "clerk"))
	two := grantsOf(t, f, f.Tenant, userWith(t, f, "clerk", roles.Member))
	if one != two {
		t.Error("two users with the same roles do not share their set")
	}
	addRole(t, f, "porter", "files.list")
	if grantsOf(t, f, f.Tenant, userWith(t, f, roles.Member, "clerk")) == one {
		t.Error("a set was kept beyond the version it belongs to")
	}
}

func TestGrantsFollowTheRoles(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	clerk := addRole(t, f, "clerk", "users.create")
	parent := addRole(t, f, "porter", "files.list")
	user := userWith(t, f, "clerk")
	changeRoles(t, f, func(tx uow.Tx, rs *infra.Repository) error {
		r, err := rs.Get(t.Context(), tx, clerk)
		if err != nil {
			return err
		}
		r.Permissions, r.Parents = []string{"users.*"}, []uuid.UUID{parent}
		_, err = rs.Save(t.Context(), tx, r)
		return err
	})
	g := grantsOf(t, f, f.Tenant, user)
	for operation, want := range map[string]bool{"users.create": true, "users.list": true, "files.list": true, "files.create": false} {
		if g.Has(operation) != want {
			t.Errorf("%s: %v, want %v", operation, !want, want)
		}
	}
	changeRoles(t, f, func(tx uow.Tx, rs *infra.Repository) error { // another role in its place
		if err := rs.Replace(t.Context(), tx, clerk, parent); err != nil {
			return err
		}
		return rs.Delete(t.Context(), tx, clerk)
	})
	if g := grantsOf(t, f, f.Tenant, user); g.Len() != 1 || !g.Has("files.list") || !slices.Equal(g.Roles(), []string{"porter"}) {
		t.Errorf("holds %d by %v", g.Len(), g.Roles())
	}
}

func TestARoleInUseIsNotDeleted(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	clerk, heir := addRole(t, f, "clerk", "users.create"), addRole(t, f, "heir")
	repository := infra.NewRepository(catalogue, clock.System{})
	remove := func() error {
		return f.Unit().Write(t.Context(), func(tx uow.Tx) error { return repository.Delete(t.Context(), tx, clerk) })
	}
	user := userWith(t, f, "clerk")
	if err := remove(); !errors.Is(err, domain.ErrInUse) {
		t.Errorf("a user has it: %v", err)
	}
	dropAssignments(t, f, user)
	changeRoles(t, f, func(tx uow.Tx, rs *infra.Repository) error {
		r, err := rs.Get(t.Context(), tx, heir)
		if err != nil {
			return err
		}
		r.Parents = []uuid.UUID{clerk}
		_, err = rs.Save(t.Context(), tx, r)
		return err
	})
	if err := remove(); !errors.Is(err, domain.ErrInUse) {
		t.Errorf("a role inherits from it: %v", err)
	}
	f.Write(t, func(tx uow.Tx) error { return repository.Delete(t.Context(), tx, heir) })
	if err := remove(); err != nil {
		t.Errorf("nobody has it: %v", err)
	}
}

func TestARoleEnds(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	now := clock.At(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))
	later := infra.NewAssignments(catalogue, standing, now)
	timed, err := infra.NewResolver(catalogue, now)
	if err != nil {
		t.Fatal(err)
	}
	owner := callerOf(t, f, userWith(t, f, roles.Owner))
	user, end := id.System{}.New(), now.Now().Add(time.Hour)
	f.Write(t, func(tx uow.Tx) error {
		return later.Set(t.Context(), tx, owner, user, []string{roles.Member, roles.Auditor}, roles.Ends{roles.Auditor: end})
	})
	see := func() (g *authn.Grants, held roles.Held) {
		version := versionOf(t, f)
		f.Read(t, func(tx uow.Tx) error {
			of, err := later.Of(t.Context(), tx, []uuid.UUID{user})
			if err != nil {
				return err
			}
			held = of[user]
			g, err = timed.Grants(t.Context(), tx, f.Tenant, user, version)
			return err
		})
		return g, held
	}
	g, held := see()
	if !g.Until().Equal(end) || !g.Has("audit.events.list") || !held.Ends[roles.Auditor].Equal(end) || len(held.Ends) != 1 {
		t.Errorf("until %v, ends %v", g.Until(), held.Ends)
	}
	now.Advance(time.Hour)
	if g, held = see(); g.Has("audit.events.list") || !g.Until().IsZero() || !slices.Equal(held.Names, []string{roles.Member}) {
		t.Errorf("after its end: until %v, has %v", g.Until(), held.Names)
	}
	for name, ends := range map[string]roles.Ends{"over": {roles.Member: now.Now()}, "not given": {roles.Owner: now.Now().Add(time.Hour)}} {
		err := f.Unit().Write(t.Context(), func(tx uow.Tx) error {
			return later.Set(t.Context(), tx, owner, user, []string{roles.Member}, ends)
		})
		if !errors.Is(err, domain.ErrExpiry) {
			t.Errorf("an end that is %s: %v", name, err)
		}
	}
}

// An owner whose role ends would leave nobody behind.
func TestTheLastOwnerIsForGood(t *testing.T) {
	t.Parallel()
	f := tenant(t)
	user := userWith(t, f, roles.Owner)
	owner, end := callerOf(t, f, user), clock.System{}.Now().Add(time.Hour)
	limit := func() error {
		return f.Unit().Write(t.Context(), func(tx uow.Tx) error {
			return assignments.Set(t.Context(), tx, owner, user, []string{roles.Owner}, roles.Ends{roles.Owner: end})
		})
	}
	other := id.System{}.New()
	f.Write(t, func(tx uow.Tx) error {
		return assignments.Set(t.Context(), tx, owner, other, []string{roles.Owner}, roles.Ends{roles.Owner: end})
	})
	if err := limit(); !errors.Is(err, domain.ErrLastOwner) {
		t.Errorf("beside an owner for a while: %v", err)
	}
	userWith(t, f, roles.Owner)
	if err := limit(); err != nil {
		t.Errorf("beside an owner for good: %v", err)
	}
}
