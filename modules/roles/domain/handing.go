package domain

import (
	"slices"

	"github.com/insulahq/insula/modules/roles"
)

// Holder is somebody who gives a role to a user or takes it away.
type Holder interface {
	// Role returns the role that grants them an operation, and whether any
	// does.
	Role(operation string) (string, bool)
	// Roles names the roles they have in full.
	Roles() []string
}

// MayPass reports whether h may give r to a user, or take it away: nobody
// deals in more than they hold, and ownership passes between owners only.
//
// The kind of tenant is not asked. Landlord operations come with owner and
// admin, so whoever has such a role passes them on with it: in the operator's
// tenant they hold them, and elsewhere these operations are void.
func (c *Catalogue) MayPass(h Holder, r Role) bool {
	if r.BuiltIn && r.Name == roles.Owner && !slices.Contains(h.Roles(), roles.Owner) {
		return false
	}
	for _, operation := range c.Holds(r, true) {
		if _, held := h.Role(operation); !held && !c.void(h, operation) {
			return false
		}
	}
	return true
}

// void reports a landlord operation that a built-in role of h would bring if
// this were the operator's tenant.
func (c *Catalogue) void(h Holder, operation string) bool {
	o := c.byName[operation]
	return o.Landlord && slices.ContainsFunc(h.Roles(), func(name string) bool {
		rule, builtIn := ruleOf(name)
		return builtIn && rule(o)
	})
}
