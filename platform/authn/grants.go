package authn

import (
	"maps"
	"slices"
	"time"

	"github.com/insulahq/insula/platform/perm"
)

// Grants is an immutable set of permissions with the role that each comes
// from. It may be shared by many requests.
type Grants struct {
	names *perm.Names
	parts []Part
	until time.Time
	scope []string // what Narrow was given; nil means no bounds
}

// Part is what one role gives.
type Part struct {
	Role  string
	Holds perm.Set
	// Rule is how a decision that rests on the role is explained. It is made
	// once, so that a decision makes nothing.
	Rule string
}

// NewPart makes what one role gives.
func NewPart(role string, holds perm.Set) Part {
	return Part{Role: role, Holds: holds, Rule: "role " + role}
}

// Resolve makes the grants of somebody whose roles give these parts over
// names. Of several that give a permission the first is the one that the
// trail will show. At until, unless it is zero, one of the roles ends, and the
// grants must be resolved anew.
func Resolve(names *perm.Names, until time.Time, parts ...Part) *Grants {
	return &Grants{names: names, parts: parts, until: until}
}

// NewGrants makes a set from permission -> granting role. Roles lists roles,
// also those that grant nothing.
func NewGrants(roles []string, from map[string]string) *Grants {
	names := perm.NewNames(slices.Sorted(maps.Keys(from)))
	for _, role := range slices.Sorted(maps.Values(from)) {
		if !slices.Contains(roles, role) {
			roles = append(slices.Clone(roles), role)
		}
	}
	parts := make([]Part, len(roles))
	for i, role := range roles {
		holds := perm.NewSet(names.Len())
		for name, granting := range from {
			if granting == role {
				n, _ := names.Find(name)
				holds.Add(n)
			}
		}
		parts[i] = NewPart(role, holds)
	}
	return Resolve(names, time.Time{}, parts...)
}

// find is the part that grants a permission; nil when none does.
func (g *Grants) find(permission string) *Part {
	if g == nil {
		return nil
	}
	number, known := g.names.Find(permission)
	if !known {
		return nil
	}
	for i := range g.parts {
		if g.parts[i].Holds.Has(number) {
			return &g.parts[i]
		}
	}
	return nil
}

// Has reports whether the permission is granted.
func (g *Grants) Has(permission string) bool { return g.find(permission) != nil }

// Role returns the role that grants a permission, and whether any does.
func (g *Grants) Role(permission string) (string, bool) {
	if p := g.find(permission); p != nil {
		return p.Role, true
	}
	return "", false
}

// Rule explains why a permission is granted, and whether it is.
func (g *Grants) Rule(permission string) (string, bool) {
	if p := g.find(permission); p != nil {
		return p.Rule, true
	}
	return "", false
}

// Knows reports whether a permission of this name exists where the grants
// hold, granted or not.
func (g *Grants) Knows(permission string) bool {
	if g == nil {
		return false
	}
	_, known := g.names.Find(permission)
	return known
}

// Roles lists the names of the roles behind the set.
func (g *Grants) Roles() []string {
	if g == nil {
		return nil
	}
	names := make([]string, len(g.parts))
	for i, p := range g.parts {
		names[i] = p.Role
	}
	return names
}

// Until is when a role behind the set ends; zero when none does.
func (g *Grants) Until() time.Time {
	if g == nil {
		return time.Time{}
	}
	return g.until
}

// Names are the permissions that exist where the grants hold; nil for nil.
func (g *Grants) Names() *perm.Names {
	if g == nil {
		return nil
	}
	return g.names
}

// Union is all that is granted, as a set over Names.
func (g *Grants) Union() perm.Set {
	if g == nil {
		return nil
	}
	all := perm.NewSet(g.names.Len())
	for _, p := range g.parts {
		all.AddAll(p.Holds)
	}
	return all
}

// Len is the number of permissions held.
func (g *Grants) Len() int { return g.Union().Len() }

// Covers reports whether g holds every permission that other holds.
func (g *Grants) Covers(other *Grants) bool {
	if other == nil {
		return true
	}
	if g != nil && g.names == other.names {
		return g.Union().Covers(other.Union())
	}
	for _, name := range other.names.Of(other.Union()) {
		if !g.Has(name) {
			return false
		}
	}
	return true
}

// Narrow is what remains of g within a scope, such as that of an API key: the
// permissions that both g grants and an entry of the scope stands for (a name,
// or a pattern such as "files.*"). It never grants more than g does, and an
// empty scope leaves nothing. Since it follows g, whatever g loses the
// narrowed set has lost too.
func (g *Grants) Narrow(scope []string) *Grants {
	if g == nil {
		return nil
	}
	within := perm.NewSet(g.names.Len())
	for _, entry := range scope {
		within.AddAll(g.names.Select(entry, 0, g.names.Len()))
	}
	narrow := &Grants{names: g.names, until: g.until, scope: append([]string{}, scope...), parts: make([]Part, len(g.parts))}
	for i, p := range g.parts {
		narrow.parts[i] = Part{Role: p.Role, Rule: p.Rule, Holds: p.Holds.And(within)}
	}
	if g.scope != nil {
		narrow.scope = slices.DeleteFunc(narrow.scope, func(entry string) bool { return !g.Within(entry) })
	}
	return narrow
}

// Scope is what the set was narrowed to; false for a set that has no bounds.
func (g *Grants) Scope() (entries []string, bounded bool) {
	if g == nil || g.scope == nil {
		return nil, false
	}
	return slices.Clone(g.scope), true
}

// Within reports whether the scope that the set was narrowed to stands for a
// permission, held or not; a set that was not narrowed has no bounds.
func (g *Grants) Within(permission string) bool {
	if g == nil || g.scope == nil {
		return g != nil
	}
	return slices.ContainsFunc(g.scope, func(entry string) bool { return perm.Matches(entry, permission) })
}
