package domain

import (
	"cmp"
	"iter"
	"slices"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/platform/perm"
)

// Policy is what all roles of a tenant give at one version, worked out. It
// never changes; a change makes another.
type Policy struct {
	Version   int64
	catalogue *Catalogue
	landlord  bool
	names     *perm.Names // operations, the product's permissions, the tenant's
	known     int         // how many of names are operations
	own       map[string]Custom
	nodes     []*node // by name
	byID      map[uuid.UUID]*node
}

// node is a role with what it gives by itself, and with what it inherits.
type node struct {
	role       Role
	own, whole perm.Set
	parents    []*node // by name
	state      state
}

type state uint8

const (
	untouched state = iota
	underWay
	finished
)

// Compile works out what roles give in the operator's tenant (landlord) or in
// any other, where landlord operations do not exist. Custom are the tenant's
// own permissions; one that has the name of something else is void.
func (c *Catalogue) Compile(version int64, landlord bool, all []Role, custom []Custom) *Policy {
	v := c.vocabulary(landlord)
	p := &Policy{
		Version: version, catalogue: c, landlord: landlord, names: v.names, known: v.known,
		own: map[string]Custom{}, byID: make(map[uuid.UUID]*node, len(all)),
	}
	var more []string
	for _, own := range custom {
		if _, taken := v.names.Find(own.Name); !taken && !c.belongsToBinary(own.Name) {
			p.own[own.Name] = own
			more = append(more, own.Name)
		}
	}
	if len(more) > 0 {
		slices.Sort(more)
		p.names = v.names.Extend(more)
	}
	for _, r := range all {
		n := &node{role: r, own: p.given(r)}
		p.nodes = append(p.nodes, n)
		p.byID[r.ID] = n
	}
	slices.SortFunc(p.nodes, byName)
	for _, n := range p.nodes {
		for _, parent := range n.role.Parents {
			if found, ok := p.byID[parent]; ok {
				n.parents = append(n.parents, found)
			}
		}
		slices.SortFunc(n.parents, byName)
	}
	for _, n := range p.nodes {
		n.inherit()
	}
	return p
}

func byName(a, b *node) int { return cmp.Compare(a.role.Name, b.role.Name) }

// given is what a role gives by itself.
func (p *Policy) given(r Role) perm.Set {
	held := perm.NewSet(p.names.Len())
	if r.BuiltIn {
		p.rule(r.Name, held)
		return held
	}
	for _, entry := range r.Permissions {
		held.AddAll(p.operations(entry))
	}
	for _, entry := range r.CustomPermissions {
		held.AddAll(p.customs(entry))
	}
	return held
}

// rule adds what a built-in role gives. One of another version of the binary
// gives nothing.
func (p *Policy) rule(name string, held perm.Set) {
	holds, known := ruleOf(name)
	if !known {
		return
	}
	for i := range p.known {
		if holds(p.catalogue.operations[p.names.At(i)]) {
			held.Add(i)
		}
	}
	if name == roles.Owner || name == roles.Admin {
		for i := p.known; i < p.names.Len(); i++ {
			held.Add(i)
		}
	}
}

// inherit adds up what a role and its parents give. A circle cannot be
// stored; if there is one all the same it gives nothing twice.
func (n *node) inherit() {
	if n.state != untouched {
		return
	}
	n.state = underWay
	if len(n.parents) == 0 {
		n.whole = n.own
	} else {
		n.whole = slices.Clone(n.own)
		for _, parent := range n.parents {
			parent.inherit()
			n.whole.AddAll(parent.whole)
		}
	}
	n.state = finished
}

// Names are the permissions that exist in the tenant.
func (p *Policy) Names() *perm.Names { return p.names }

// Own lists the tenant's own permissions by name.
func (p *Policy) Own() []Custom {
	return slices.SortedFunc(func(yield func(Custom) bool) {
		for _, c := range p.own {
			if !yield(c) {
				return
			}
		}
	}, func(a, b Custom) int { return cmp.Compare(a.Name, b.Name) })
}

// Roles yields the roles by name.
func (p *Policy) Roles() iter.Seq[Role] {
	return func(yield func(Role) bool) {
		for _, n := range p.nodes {
			if !yield(n.role) {
				return
			}
		}
	}
}

// Named finds a role by name.
func (p *Policy) Named(name string) (Role, bool) {
	i, found := slices.BinarySearchFunc(p.nodes, name, func(n *node, name string) int { return cmp.Compare(n.role.Name, name) })
	if !found {
		return Role{}, false
	}
	return p.nodes[i].role, true
}

// Find finds a role.
func (p *Policy) Find(id uuid.UUID) (Role, bool) {
	n, ok := p.byID[id]
	if !ok {
		return Role{}, false
	}
	return n.role, true
}

// Holds is all that a role gives, parents included, as a set over Names. It
// must not be changed.
func (p *Policy) Holds(id uuid.UUID) perm.Set {
	n, ok := p.byID[id]
	if !ok {
		return nil
	}
	return n.whole
}

// Grants lists by name what a role gives, parents included.
func (p *Policy) Grants(id uuid.UUID) []string { return p.names.Of(p.Holds(id)) }

// ParentNames lists the parents of a role by name.
func (p *Policy) ParentNames(r Role) []string {
	names := []string{}
	for _, id := range r.Parents {
		if parent, ok := p.byID[id]; ok {
			names = append(names, parent.role.Name)
		}
	}
	return tidy(names)
}

// With is the policy as it would be with a role added or changed. It returns
// ErrCycle, naming the circle, when the role would inherit from itself.
func (p *Policy) With(r Role) (*Policy, error) {
	all := []Role{r}
	for _, n := range p.nodes {
		if n.role.ID != r.ID {
			all = append(all, n.role)
		}
	}
	return p.again(all, r.ID)
}

// Replacing is the policy as it would be with a role gone and another in its
// place wherever it was a parent. It returns ErrCycle when that closes a
// circle.
func (p *Policy) Replacing(gone, by uuid.UUID) (*Policy, error) {
	var all []Role
	for _, n := range p.nodes {
		r := n.role
		if r.ID == gone {
			continue
		}
		if i := slices.Index(r.Parents, gone); i >= 0 {
			r.Parents = slices.Delete(slices.Clone(r.Parents), i, i+1)
			if by != uuid.Nil && !slices.Contains(r.Parents, by) {
				r.Parents = append(r.Parents, by)
			}
		}
		all = append(all, r)
	}
	return p.again(all, by)
}

func (p *Policy) again(all []Role, changed uuid.UUID) (*Policy, error) {
	next := p.catalogue.Compile(p.Version, p.landlord, all, p.Own())
	if n, ok := next.byID[changed]; ok {
		if path := n.circle(n, map[*node]bool{}); path != nil {
			return nil, cycle(append([]string{n.role.Name}, path...))
		}
	}
	return next, nil
}

// circle is the way from n's parents to a role; nil when there is none.
func (n *node) circle(to *node, seen map[*node]bool) []string {
	for _, parent := range n.parents {
		if parent == to {
			return []string{to.role.Name}
		}
		if seen[parent] {
			continue
		}
		seen[parent] = true
		if rest := parent.circle(to, seen); rest != nil {
			return append([]string{parent.role.Name}, rest...)
		}
	}
	return nil
}

// IsParent reports whether other roles inherit from this one.
func (p *Policy) IsParent(id uuid.UUID) bool {
	return slices.ContainsFunc(p.nodes, func(n *node) bool { return slices.Contains(n.role.Parents, id) })
}
