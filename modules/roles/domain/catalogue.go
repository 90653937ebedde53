package domain

import (
	"cmp"
	"slices"
)

// Operation is what matters to a role about an operation that it can hold.
type Operation struct {
	Name     string
	Module   string // the module that declares it
	Changes  bool   // false for reads, recorded ones too
	Landlord bool   // takes effect in the operator's tenant only
}

// Catalogue is all that roles can be made of: the grantable operations
// compiled into the binary. It does not change while the process lives.
type Catalogue struct {
	all    []Operation
	byName map[string]Operation
}

// NewCatalogue makes the catalogue of the operations that a role can hold.
func NewCatalogue(grantable []Operation) *Catalogue {
	c := &Catalogue{all: slices.Clone(grantable), byName: make(map[string]Operation, len(grantable))}
	slices.SortFunc(c.all, func(a, b Operation) int { return cmp.Compare(a.Name, b.Name) })
	for _, o := range c.all {
		c.byName[o.Name] = o
	}
	return c
}

// Holds lists, sorted, the operations that a role grants in the operator's
// tenant (landlord) or in any other, where landlord operations are left out.
func (c *Catalogue) Holds(r Role, landlord bool) []string {
	grants := func(o Operation) bool { return slices.Contains(r.Permissions, o.Name) }
	if r.BuiltIn {
		rule, known := ruleOf(r.Name)
		if !known {
			return []string{} // a built-in role of another version of the binary
		}
		grants = rule
	}
	held := []string{}
	for _, o := range c.all {
		if grants(o) && (landlord || !o.Landlord) {
			held = append(held, o.Name)
		}
	}
	return held
}
