package domain_test

import (
	"slices"
	"testing"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/roles/domain"
)

var catalogue = domain.NewCatalogue([]domain.Operation{
	{Name: "users.list", Module: "users"},
	{Name: "users.create", Module: "users", Changes: true},
	{Name: "files.create", Module: "files", Changes: true},
	{Name: "files.list", Module: "files"},
	{Name: "audit.events.list", Module: "audit"},
	{Name: "tenants.list", Module: "tenants", Landlord: true},
	{Name: "tenants.create", Module: "tenants", Changes: true, Landlord: true},
})

func builtIn(name string) domain.Role { return domain.Role{Name: name, BuiltIn: true} }

func custom(permissions ...string) domain.Role {
	return domain.Role{Name: "custom", Permissions: permissions}
}

func TestHolds(t *testing.T) {
	ordinary := []string{"audit.events.list", "files.create", "files.list", "users.create", "users.list"}
	everything := []string{"audit.events.list", "files.create", "files.list", "tenants.create", "tenants.list", "users.create", "users.list"}
	for _, tc := range []struct {
		name     string
		role     domain.Role
		landlord bool
		want     []string
	}{
		{"owner", builtIn(roles.Owner), false, ordinary},
		{"owner at the operator's", builtIn(roles.Owner), true, everything},
		{"admin", builtIn(roles.Admin), false, ordinary},
		{"admin at the operator's", builtIn(roles.Admin), true, everything},
		{"member", builtIn(roles.Member), false, []string{"files.create", "files.list", "users.list"}},
		{"member at the operator's", builtIn(roles.Member), true, []string{"files.create", "files.list", "users.list"}},
		{"auditor", builtIn(roles.Auditor), false, []string{"audit.events.list", "files.list", "users.list"}},
		{"auditor at the operator's", builtIn(roles.Auditor), true, []string{"audit.events.list", "files.list", "users.list"}},
		{"stored permissions of a built-in role", domain.Role{Name: roles.Member, BuiltIn: true, Permissions: []string{"users.create"}}, false,
			[]string{"files.create", "files.list", "users.list"}},
		{"a built-in role nobody knows", builtIn("emperor"), true, []string{}},
		{"a role of the tenant's own", custom("users.list", "files.list"), false, []string{"files.list", "users.list"}},
		{"a role that only looks like owner", domain.Role{Name: roles.Owner}, true, []string{}},
		{"unknown permissions", custom("users.list", "users.fly", "*", "users.*"), false, []string{"users.list"}},
		{"a landlord's permission", custom("tenants.create"), false, []string{}},
		{"a landlord's permission at the operator's", custom("tenants.create"), true, []string{"tenants.create"}},
		{"nothing", custom(), true, []string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := catalogue.Holds(tc.role, tc.landlord); !slices.Equal(got, tc.want) {
				t.Errorf("holds %v, want %v", got, tc.want)
			}
		})
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
	roles    []domain.Role
	landlord bool
}

func (h holder) Role(operation string) (string, bool) {
	for _, r := range h.roles {
		if slices.Contains(catalogue.Holds(r, h.landlord), operation) {
			return r.Name, true
		}
	}
	return "", false
}

func (h holder) Roles() []string {
	var names []string
	for _, r := range h.roles {
		names = append(names, r.Name)
	}
	return names
}

func TestMayPass(t *testing.T) {
	customer := func(rs ...domain.Role) holder { return holder{roles: rs} }
	operator := func(rs ...domain.Role) holder { return holder{roles: rs, landlord: true} }
	everyday := custom("audit.events.list", "files.create", "files.list", "users.create", "users.list")
	total := custom("audit.events.list", "files.create", "files.list", "users.create", "users.list", "tenants.create", "tenants.list")
	for _, tc := range []struct {
		name string
		by   holder
		role domain.Role
		want bool
	}{
		{"owner makes owners", customer(builtIn(roles.Owner)), builtIn(roles.Owner), true},
		{"owner makes owners at the operator's", operator(builtIn(roles.Owner)), builtIn(roles.Owner), true},
		{"owner makes admins", customer(builtIn(roles.Owner)), builtIn(roles.Admin), true},
		{"admin makes admins", customer(builtIn(roles.Admin)), builtIn(roles.Admin), true},
		{"admin makes admins at the operator's", operator(builtIn(roles.Admin)), builtIn(roles.Admin), true},
		{"admin makes auditors", customer(builtIn(roles.Admin)), builtIn(roles.Auditor), true},
		{"admin makes no owners", customer(builtIn(roles.Admin)), builtIn(roles.Owner), false},
		{"admin makes no owners at the operator's", operator(builtIn(roles.Admin)), builtIn(roles.Owner), false},
		{"all permissions do not make owners", customer(everyday), builtIn(roles.Owner), false},
		{"everyday permissions make no admins at the operator's", operator(everyday), builtIn(roles.Admin), false},
		{"all permissions make admins at the operator's", operator(total), builtIn(roles.Admin), true},
		{"member makes no admins", customer(builtIn(roles.Member)), builtIn(roles.Admin), false},
		{"member makes no auditors", customer(builtIn(roles.Member)), builtIn(roles.Auditor), false},
		{"member and auditor together", customer(builtIn(roles.Member), builtIn(roles.Auditor)), builtIn(roles.Auditor), true},
		{"part of what one holds", customer(builtIn(roles.Member)), custom("files.list"), true},
		{"more than one holds", customer(builtIn(roles.Member)), custom("files.list", "users.create"), false},
		{"a permission nobody knows", customer(builtIn(roles.Member)), custom("files.list", "files.fly"), true},
		{"nobody passes on anything", customer(), custom("files.list"), false},
		{"an empty role is anybody's", customer(), custom(), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := catalogue.MayPass(tc.by, tc.role); got != tc.want {
				t.Errorf("may pass: %v, want %v", got, tc.want)
			}
		})
	}
}
