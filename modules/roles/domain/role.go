// Package domain has the rules of roles: what they hold and inherit, who may
// make them and hand them on, and why somebody may do something. It speaks of
// operations by what matters to a role, so that it stands on nothing.
package domain

import (
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/errs"
)

// Role is a named set of permissions that users of the tenant can have.
type Role struct {
	ID          uuid.UUID
	Name        string // unique in the tenant, and for good
	Description string
	BuiltIn     bool // what it holds follows from a rule, not from entries
	// Permissions are the operations that somebody chose, by name or pattern;
	// CustomPermissions are those of the product or the tenant, and patterns
	// over them. A name that is not known here stands in its list and grants
	// nothing.
	Permissions       []string
	CustomPermissions []string
	Parents           []uuid.UUID // roles whose permissions this one has too
	Version           int64
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// AnyVersion stands for whichever version is the current one.
const AnyVersion int64 = 0

// Limits of a tenant's roles.
const (
	MaxRoles       = 500 // of a tenant; a change of one is read whole by every node
	MaxEntries     = 500 // of a role
	MaxParents     = 20  // of a role
	maxDescription = 500 // characters
)

var roleName = regexp.MustCompile(`^[a-z][a-z0-9]*([_-][a-z0-9]+)*$`)

const maxRoleName = 60

// Draft is what somebody wants a new role to be.
type Draft struct {
	Name, Description string
	Entries           []string // permissions by name or pattern
	Parents           []string // names of roles
}

// Change says what to replace; nil keeps what is there.
type Change struct {
	Description *string
	Entries     *[]string
	Parents     *[]string
}

// At returns errs.ErrPreconditionFailed unless the role is at this version.
func (r Role) At(version int64) error {
	if version != AnyVersion && version != r.Version {
		return errs.ErrPreconditionFailed
	}
	return nil
}

// Make makes a role of the tenant's own. It returns ErrInvalid with every
// wrong field, and ErrTooMany.
func (p *Policy) Make(id uuid.UUID, d Draft, now time.Time) (Role, error) {
	r := Role{ID: id, Name: d.Name, Version: 1, CreatedAt: now, UpdatedAt: now}
	if len(p.nodes) >= MaxRoles {
		return r, ErrTooMany
	}
	var nameErr error
	if len(d.Name) > maxRoleName || !roleName.MatchString(d.Name) {
		nameErr = ErrInvalid.At("#/name", "must be lower-case words of letters and digits, joined by hyphens or underscores")
	}
	r, err := p.shape(r, Change{Description: &d.Description, Entries: &d.Entries, Parents: &d.Parents})
	return r, together(nameErr, err)
}

// Edit changes a role of the tenant's own. It returns ErrBuiltIn, and
// ErrInvalid with every wrong field.
func (p *Policy) Edit(r Role, c Change, now time.Time) (Role, error) {
	if r.BuiltIn {
		return r, ErrBuiltIn
	}
	r.UpdatedAt = now
	return p.shape(r, c)
}

// shape replaces what a change names. Entries that the role has already stay
// allowed, also those that nothing here knows any more.
func (p *Policy) shape(r Role, c Change) (Role, error) {
	var wrong []error
	if c.Description != nil {
		r.Description = *c.Description
		if len([]rune(r.Description)) > maxDescription {
			wrong = append(wrong, ErrInvalid.At("#/description", "must have at most 500 characters"))
		}
	}
	if c.Entries != nil {
		operations, custom, err := p.sort(*c.Entries, r)
		r.Permissions, r.CustomPermissions = operations, custom
		wrong = append(wrong, err)
	}
	if c.Parents != nil {
		parents, err := p.parentsNamed(*c.Parents)
		r.Parents = parents
		wrong = append(wrong, err)
	}
	return r, together(wrong...)
}

func (p *Policy) parentsNamed(names []string) ([]uuid.UUID, error) {
	if len(names) > MaxParents {
		return nil, ErrInvalid.At("#/parents", "must be at most 20 roles")
	}
	var wrong []error
	ids := []uuid.UUID{}
	for i, name := range names {
		parent, known := p.Named(name)
		if !known {
			wrong = append(wrong, ErrInvalid.At(pointer("#/parents", i), "names a role that does not exist"))
			continue
		}
		ids = append(ids, parent.ID)
	}
	slices.SortFunc(ids, compareIDs)
	return slices.Compact(ids), together(wrong...)
}

// View is what the trail keeps of a role.
type View struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Permissions []string `json:"permissions"`
	Parents     []string `json:"parents,omitempty"`
}

// View shows a role to the trail.
func (p *Policy) View(r Role) View {
	return View{Name: r.Name, Description: r.Description, Permissions: r.Entries(), Parents: p.ParentNames(r)}
}

// Entries lists all that somebody chose for the role, sorted.
func (r Role) Entries() []string {
	all := slices.Concat(r.Permissions, r.CustomPermissions)
	slices.Sort(all)
	if all == nil {
		return []string{}
	}
	return all
}
