package op

import (
	"fmt"
	"sort"
)

// Registry is every operation compiled into the binary: what roles are made
// of, and nothing else.
type Registry struct {
	all    []Def
	byName map[string]Def
}

// NewRegistry collects the operations of the modules. It panics when two
// share a name: that is a mistake in the source, found at the first start.
func NewRegistry(modules ...[]Def) *Registry {
	r := &Registry{byName: map[string]Def{}}
	for _, defs := range modules {
		for _, d := range defs {
			if _, twice := r.byName[d.Name]; twice {
				panic(fmt.Sprintf("op: %s is declared twice", d.Name))
			}
			r.byName[d.Name] = d
			r.all = append(r.all, d)
		}
	}
	sort.Slice(r.all, func(i, j int) bool { return r.all[i].Name < r.all[j].Name })
	return r
}

// All lists the operations by name.
func (r *Registry) All() []Def { return append([]Def(nil), r.all...) }

// Grantable lists the operations that a role can hold.
func (r *Registry) Grantable() []Def {
	var out []Def
	for _, d := range r.all {
		if d.Grantable() {
			out = append(out, d)
		}
	}
	return out
}

// Find returns the operation of a name.
func (r *Registry) Find(name string) (Def, bool) {
	d, ok := r.byName[name]
	return d, ok
}
