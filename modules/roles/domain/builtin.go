package domain

import (
	"slices"

	"github.com/insulahq/insula/modules/roles"
)

// BuiltIn is a role that every tenant has from its first day.
type BuiltIn struct {
	Name        string
	Description string
	holds       func(Operation) bool
}

// BuiltIns lists the built-in roles, the most powerful first.
//
// Admin holds what owner holds. What tells them apart is ownership itself:
// only an owner can make or unmake an owner (see Catalogue.MayPass).
func BuiltIns() []BuiltIn {
	return []BuiltIn{
		{roles.Owner, "Holds every permission of the tenant; only an owner can make another.", holdsAll},
		{roles.Admin, "Holds every permission of the tenant, but cannot make or unmake an owner.", holdsAll},
		{roles.Member, "Works with files and sees the other people of the tenant.", holdsOwnWork},
		{roles.Auditor, "Reads everything in the tenant, the audit trail too, and changes nothing.", holdsReads},
	}
}

func holdsAll(Operation) bool { return true }

// colleagues are what a member may do beside working with files.
var colleagues = []string{"users.get", "users.list", "roles.get", "roles.list", "permissions.list"}

func holdsOwnWork(o Operation) bool {
	return !o.Landlord && (o.Module == "files" || slices.Contains(colleagues, o.Name))
}

func holdsReads(o Operation) bool { return !o.Landlord && !o.Changes }

// ruleOf finds the rule of a built-in role.
func ruleOf(name string) (func(Operation) bool, bool) {
	for _, b := range BuiltIns() {
		if b.Name == name {
			return b.holds, true
		}
	}
	return nil, false
}
