package domain

import (
	"slices"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
)

// Holder is somebody who makes roles, gives them to users or takes them away.
type Holder interface {
	// Has reports whether they hold a permission.
	Has(permission string) bool
	// Knows reports whether the permission exists where they hold anything.
	Knows(permission string) bool
	// Roles names the roles they have in full.
	Roles() []string
	// Len is how many permissions they hold.
	Len() int
}

// MayPass reports whether h may give a role to a user, take it away, or
// decide what it gives: nobody deals in more than they hold, and ownership
// passes between owners only.
//
// Landlord operations come with owner and admin in every tenant and are void
// outside the operator's, so there they count for nothing.
func (p *Policy) MayPass(h Holder, role uuid.UUID) bool {
	n, ok := p.byID[role]
	if !ok {
		return false
	}
	if isOwner(n.role) && !slices.Contains(h.Roles(), roles.Owner) {
		return false
	}
	if h.Len() == 0 {
		return n.whole.IsEmpty()
	}
	for _, permission := range p.names.Of(n.whole) {
		if !h.Has(permission) && !p.void(h, permission) {
			return false
		}
	}
	return true
}

// void reports a landlord operation where h's tenant is not the operator's.
func (p *Policy) void(h Holder, permission string) bool {
	return p.catalogue.operations[permission].Landlord && !h.Knows(permission)
}

func isOwner(r Role) bool { return r.BuiltIn && r.Name == roles.Owner }
