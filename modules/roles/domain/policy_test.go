package domain_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/perm"
)

var operations = []domain.Operation{
	{Name: "users.list", Module: "users"},
	{Name: "users.create", Module: "users", Changes: true},
	{Name: "files.create", Module: "files", Changes: true},
	{Name: "files.list", Module: "files"},
	{Name: "audit.events.list", Module: "audit"},
	{Name: "tenants.list", Module: "tenants", Landlord: true},
	{Name: "tenants.create", Module: "tenants", Changes: true, Landlord: true},
}

func catalogue(t testing.TB, product ...domain.Custom) *domain.Catalogue {
	t.Helper()
	c, err := domain.NewCatalogue(operations, []string{"me", "auth"}, product)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// id makes the same id of the same name.
func id(name string) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)) }

func builtIn(name string) domain.Role { return domain.Role{ID: id(name), Name: name, BuiltIn: true} }

func custom(name string, permissions ...string) domain.Role {
	return domain.Role{ID: id(name), Name: name, Permissions: permissions}
}

func inheriting(r domain.Role, parents ...string) domain.Role {
	for _, p := range parents {
		r.Parents = append(r.Parents, id(p))
	}
	return r
}

func TestGrants(t *testing.T) {
	ordinary := []string{"audit.events.list", "files.create", "files.list", "users.create", "users.list"}
	everything := []string{"audit.events.list", "files.create", "files.list", "tenants.create", "tenants.list", "users.create", "users.list"}
	own := custom("own")
	own.CustomPermissions = []string{"billing.*", "files.list"}
	for _, tc := range []struct {
		name     string
		role     domain.Role
		landlord bool
		want     []string
	}{
		{"owner", builtIn(roles.Owner), false, append(slices.Clone(ordinary), "billing.refund", "shop.close")},
		{"owner at the operator's", builtIn(roles.Owner), true, append(slices.Clone(everything), "billing.refund", "shop.close")},
		{"admin", builtIn(roles.Admin), false, append(slices.Clone(ordinary), "billing.refund", "shop.close")},
		{"member", builtIn(roles.Member), false, []string{"files.create", "files.list", "users.list"}},
		{"member at the operator's", builtIn(roles.Member), true, []string{"files.create", "files.list", "users.list"}},
		{"auditor", builtIn(roles.Auditor), true, []string{"audit.events.list", "files.list", "users.list"}},
		{"entries of a built-in role", domain.Role{ID: id("x"), Name: roles.Member, BuiltIn: true, Permissions: []string{"users.create"}}, false,
			[]string{"files.create", "files.list", "users.list"}},
		{"a built-in role nobody knows", builtIn("emperor"), true, []string{}},
		{"a role of the tenant's own", custom("c", "users.list", "files.list"), false, []string{"files.list", "users.list"}},
		{"a role that only looks like owner", custom(roles.Owner), true, []string{}},
		{"unknown permissions", custom("c", "users.list", "users.fly", "*", "shop.*"), false, []string{"users.list"}},
		{"a pattern", custom("c", "users.*"), false, []string{"users.create", "users.list"}},
		{"a landlord's permission", custom("c", "tenants.create"), false, []string{}},
		{"a landlord's pattern", custom("c", "tenants.*"), false, []string{}},
		{"a landlord's pattern at the operator's", custom("c", "tenants.*"), true, []string{"tenants.create", "tenants.list"}},
		{"a custom permission among the operations", custom("c", "billing.refund"), false, []string{}},
		{"custom permissions, and an operation among them", own, false, []string{"billing.refund"}},
		{"nothing", custom("c"), true, []string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			slices.Sort(tc.want)
			p := catalogue(t, domain.Custom{Name: "shop.close", Summary: "Close."}).Compile(1, tc.landlord, []domain.Role{tc.role},
				[]domain.Custom{{Name: "billing.refund"}, {Name: "users.create"}, {Name: "users.made_up"}})
			if got := p.Grants(tc.role.ID); !slices.Equal(got, tc.want) {
				t.Errorf("grants %v, want %v", got, tc.want)
			}
		})
	}
}

func TestTheProductsPermissionsStandBesideOperations(t *testing.T) {
	for _, name := range []string{"users.fly", "me.fly", "auth.fly", "webhooks.send", "billing", "Billing.refund", "billing.*", "billing..refund", ""} {
		if _, err := domain.NewCatalogue(operations, []string{"me", "auth"}, []domain.Custom{{Name: name, Summary: "Do it."}}); !errors.Is(err, domain.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestBuiltInsAreTheContract(t *testing.T) {
	var names []string
	for _, b := range domain.BuiltIns() {
		names = append(names, b.Name)
		if b.Description == "" {
			t.Errorf("%s has no description", b.Name)
		}
	}
	if want := []string{roles.Owner, roles.Admin, roles.Member, roles.Auditor}; !slices.Equal(names, want) {
		t.Errorf("built in are %v, want %v", names, want)
	}
}

// holder has some roles in a tenant of some kind.
type holder struct {
	p     *domain.Policy
	roles []domain.Role
}

func (h holder) Has(permission string) bool {
	return slices.ContainsFunc(h.roles, func(r domain.Role) bool { return slices.Contains(h.p.Grants(r.ID), permission) })
}

func (h holder) Knows(permission string) bool {
	_, known := h.p.Names().Find(permission)
	return known
}

func (h holder) Len() int {
	all := perm.NewSet(h.p.Names().Len())
	for _, r := range h.roles {
		all.AddAll(h.p.Holds(r.ID))
	}
	return all.Len()
}

func (h holder) Roles() []string {
	var names []string
	for _, r := range h.roles {
		names = append(names, r.Name)
	}
	return names
}

func TestMayPass(t *testing.T) {
	everyday := custom("everyday", "audit.events.list", "files.create", "files.list", "users.create", "users.list")
	total := custom("total", "audit.events.list", "files.create", "files.list", "users.create", "users.list", "tenants.create", "tenants.list")
	lower, unknown := custom("lower", "files.list"), custom("unknown", "files.list", "files.fly")
	more, empty := custom("more", "files.list", "users.create"), custom("empty")
	void, heir := custom("void", "tenants.create"), inheriting(custom("heir"), roles.Admin)
	all := []domain.Role{builtIn(roles.Owner), builtIn(roles.Admin), builtIn(roles.Member), builtIn(roles.Auditor), everyday, total, lower, unknown, more, empty, void, heir}
	const customer, operator = false, true
	for _, tc := range []struct {
		name     string
		landlord bool
		by       []domain.Role
		role     domain.Role
		want     bool
	}{
		{"owner makes owners", customer, []domain.Role{builtIn(roles.Owner)}, builtIn(roles.Owner), true},
		{"owner makes owners at the operator's", operator, []domain.Role{builtIn(roles.Owner)}, builtIn(roles.Owner), true},
		{"owner makes admins", customer, []domain.Role{builtIn(roles.Owner)}, builtIn(roles.Admin), true},
		{"admin makes admins", customer, []domain.Role{builtIn(roles.Admin)}, builtIn(roles.Admin), true},
		{"admin makes admins at the operator's", operator, []domain.Role{builtIn(roles.Admin)}, builtIn(roles.Admin), true},
		{"admin makes auditors", customer, []domain.Role{builtIn(roles.Admin)}, builtIn(roles.Auditor), true},
		{"admin makes no owners", customer, []domain.Role{builtIn(roles.Admin)}, builtIn(roles.Owner), false},
		{"admin makes no owners at the operator's", operator, []domain.Role{builtIn(roles.Admin)}, builtIn(roles.Owner), false},
		{"all permissions do not make owners", customer, []domain.Role{everyday}, builtIn(roles.Owner), false},
		{"all permissions of a customer make admins there", customer, []domain.Role{everyday}, builtIn(roles.Admin), true},
		{"everyday permissions make no admins at the operator's", operator, []domain.Role{everyday}, builtIn(roles.Admin), false},
		{"all permissions make admins at the operator's", operator, []domain.Role{total}, builtIn(roles.Admin), true},
		{"member makes no admins", customer, []domain.Role{builtIn(roles.Member)}, builtIn(roles.Admin), false},
		{"member makes nobody who inherits from admin", customer, []domain.Role{builtIn(roles.Member)}, heir, false},
		{"admin does", customer, []domain.Role{builtIn(roles.Admin)}, heir, true},
		{"member makes no auditors", customer, []domain.Role{builtIn(roles.Member)}, builtIn(roles.Auditor), false},
		{"member and auditor together", customer, []domain.Role{builtIn(roles.Member), builtIn(roles.Auditor)}, builtIn(roles.Auditor), true},
		{"part of what one holds", customer, []domain.Role{builtIn(roles.Member)}, lower, true},
		{"more than one holds", customer, []domain.Role{builtIn(roles.Member)}, more, false},
		{"a permission nobody knows", customer, []domain.Role{builtIn(roles.Member)}, unknown, true},
		{"nobody passes on anything", customer, nil, lower, false},
		{"nobody passes on even what is void", customer, nil, void, false},
		{"an empty role is anybody's", customer, nil, empty, true},
		{"a role that is not there", customer, []domain.Role{builtIn(roles.Owner)}, custom("elsewhere"), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			here := catalogue(t).Compile(1, tc.landlord, all, nil)
			// Assigning works with the policy as the operator's tenant has it.
			for _, p := range []*domain.Policy{catalogue(t).Compile(1, true, all, nil), here} {
				if p == here && !tc.landlord && tc.role.ID == void.ID {
					continue // there the role holds nothing
				}
				if got := p.MayPass(holder{here, tc.by}, tc.role.ID); got != tc.want {
					t.Errorf("may pass: %v, want %v", got, tc.want)
				}
			}
		})
	}
}

func TestACircleIsNamed(t *testing.T) {
	p := catalogue(t).Compile(1, false, []domain.Role{
		inheriting(custom("a"), "b"), inheriting(custom("b"), "c", "d"), custom("c"), inheriting(custom("d"), "e"), custom("e"),
	}, nil)
	for _, tc := range []struct {
		role domain.Role
		path string
	}{
		{inheriting(custom("e"), "a"), "e > a > b > d > e"},
		{inheriting(custom("c"), "c"), "c > c"},
		{inheriting(custom("c"), "e", "a"), "c > a > b > c"},
		{inheriting(custom("e"), "c"), ""},
		{inheriting(custom("f"), "a"), ""},
	} {
		_, err := p.With(tc.role)
		if tc.path == "" && err != nil || tc.path != "" && (!errors.Is(err, domain.ErrCycle) || !strings.Contains(err.Error(), tc.path+".")) {
			t.Errorf("%s inheriting from %d: %v, want %q", tc.role.Name, len(tc.role.Parents), err, tc.path)
		}
	}
	if _, err := p.Replacing(id("e"), id("b")); !errors.Is(err, domain.ErrCycle) {
		t.Errorf("a replacement closed a circle: %v", err)
	}
	if next, err := p.Replacing(id("e"), id("c")); err != nil || !slices.Equal(next.ParentNames(inheriting(custom("d"), "c")), []string{"c"}) {
		t.Errorf("a replacement: %v", err)
	}
}

func TestTraceFindsTheShortestWay(t *testing.T) {
	p := catalogue(t).Compile(1, false, []domain.Role{
		inheriting(custom("lead", "users.list"), "clerk", "porter"), inheriting(custom("clerk"), "reader"),
		custom("reader", "files.*"), custom("porter", "files.list"), inheriting(custom("guest"), roles.Auditor), builtIn(roles.Auditor),
	}, nil)
	for _, tc := range []struct{ role, permission, path, entry string }{
		{"lead", "users.list", "lead", "users.list"},
		{"lead", "files.list", "lead porter", "files.list"},
		{"lead", "files.create", "lead clerk reader", "files.*"},
		{"guest", "audit.events.list", "guest auditor", ""},
		{"guest", "users.create", "", ""},
		{"nobody", "users.list", "", ""},
		{"lead", "users.fly", "", ""},
	} {
		got, held := p.Trace(id(tc.role), tc.permission)
		if strings.Join(got.Path, " ") != tc.path || got.Entry != tc.entry || held != (tc.path != "") {
			t.Errorf("%s for %s: %v by %q", tc.permission, tc.role, got.Path, got.Entry)
		}
	}
}

// TestGrantsAgreeWithTheSlowWay compares with walking the parents of each role
// for each permission.
func TestGrantsAgreeWithTheSlowWay(t *testing.T) {
	c := catalogue(t)
	names := []string{"r0", "r1", "r2", "r3", "r4", "r5"}
	entries := []string{"users.list", "users.*", "files.create", "files.*", "audit.events.*", "tenants.*", "tenants.list", "made.up"}
	rapid.Check(t, func(t *rapid.T) {
		all := make([]domain.Role, len(names))
		for i, name := range names {
			all[i] = custom(name, rapid.SliceOfN(rapid.SampledFrom(entries), 0, 3).Draw(t, "entries")...)
			if i > 0 { // parents stand before: no circle
				all[i] = inheriting(all[i], rapid.SliceOfNDistinct(rapid.SampledFrom(names[:i]), 0, min(i, 3), rapid.ID[string]).Draw(t, "parents")...)
			}
		}
		landlord := rapid.Bool().Draw(t, "landlord")
		p := c.Compile(1, landlord, all, nil)
		for _, r := range all {
			for _, o := range operations {
				want := slowly(all, r, o, landlord)
				got := slices.Contains(p.Grants(r.ID), o.Name)
				trace, held := p.Trace(r.ID, o.Name)
				if got != want || held != want {
					t.Fatalf("%s by %s: got %v, trace %v (%v), want %v", o.Name, r.Name, got, trace, held, want)
				}
			}
		}
	})
}

func slowly(all []domain.Role, r domain.Role, o domain.Operation, landlord bool) bool {
	if o.Landlord && !landlord {
		return false
	}
	if slices.ContainsFunc(r.Permissions, func(entry string) bool { return perm.Matches(entry, o.Name) }) {
		return true
	}
	return slices.ContainsFunc(all, func(parent domain.Role) bool {
		return slices.Contains(r.Parents, parent.ID) && slowly(all, parent, o, landlord)
	})
}
