package domain

import (
	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/perm"
)

// Trace says how a role comes to give a permission.
type Trace struct {
	// Path begins with the role and ends with the one that gives the
	// permission by itself; in between stand parents.
	Path []string
	// Entry is what that last role names: the permission or a pattern; empty
	// for a built-in role, which follows a rule.
	Entry string
}

// Trace finds the shortest way in which a role gives a permission.
func (p *Policy) Trace(role uuid.UUID, permission string) (Trace, bool) {
	number, known := p.names.Find(permission)
	start, there := p.byID[role]
	if !known || !there || !start.whole.Has(number) {
		return Trace{}, false
	}
	type step struct {
		n    *node
		path []string
	}
	seen := map[*node]bool{start: true}
	for queue := []step{{start, []string{start.role.Name}}}; len(queue) > 0; queue = queue[1:] {
		s := queue[0]
		if s.n.own.Has(number) {
			return Trace{Path: s.path, Entry: s.n.entry(permission)}, true
		}
		for _, parent := range s.n.parents {
			if !seen[parent] {
				seen[parent] = true
				queue = append(queue, step{parent, append(s.path[:len(s.path):len(s.path)], parent.role.Name)})
			}
		}
	}
	return Trace{}, false
}

// entry is what a role names that stands for a permission.
func (n *node) entry(permission string) string {
	if n.role.BuiltIn {
		return ""
	}
	for _, entry := range n.role.Entries() {
		if perm.Matches(entry, permission) {
			return entry
		}
	}
	return ""
}
