// Package perm keeps sets of permissions as bits over a list of names: what a
// role holds is a few words, and whether it holds something is one look-up.
package perm

import (
	"slices"
	"strings"
)

// Names numbers the permissions that there are. It never changes, so sets
// over it can be shared.
type Names struct {
	all    []string
	number map[string]int
}

// NewNames numbers names in their order. A name that comes twice counts once.
func NewNames(names []string) *Names {
	n := &Names{number: make(map[string]int, len(names))}
	n.add(names)
	return n
}

// Extend returns a list that also has these names, which get the numbers
// after those of n: a set over n means the same over the longer list. A name
// that n has keeps its number and its meaning.
func (n *Names) Extend(more []string) *Names {
	longer := &Names{all: slices.Clone(n.all), number: make(map[string]int, len(n.all)+len(more))}
	for i, name := range n.all {
		longer.number[name] = i
	}
	longer.add(more)
	return longer
}

func (n *Names) add(names []string) {
	for _, name := range names {
		if _, known := n.number[name]; !known {
			n.number[name] = len(n.all)
			n.all = append(n.all, name)
		}
	}
}

// Find returns the number of a name.
func (n *Names) Find(name string) (int, bool) {
	i, ok := n.number[name]
	return i, ok
}

// Len is how many names there are.
func (n *Names) Len() int { return len(n.all) }

// At is the name with a number.
func (n *Names) At(i int) string { return n.all[i] }

// Of lists the names in a set, sorted.
func (n *Names) Of(s Set) []string {
	held := []string{}
	for i, name := range n.all {
		if s.Has(i) {
			held = append(held, name)
		}
	}
	slices.Sort(held)
	return held
}

// Select is the set of those names that an entry stands for (see Matches) and
// whose numbers are in [from, to).
func (n *Names) Select(entry string, from, to int) Set {
	s := NewSet(len(n.all))
	if !IsPattern(entry) {
		if i, ok := n.number[entry]; ok && i >= from && i < to {
			s.Add(i)
		}
		return s
	}
	for i := from; i < to; i++ {
		if Matches(entry, n.all[i]) {
			s.Add(i)
		}
	}
	return s
}

// everythingBelow ends a pattern: "users.*".
const everythingBelow = ".*"

// IsPattern tells patterns from names.
func IsPattern(entry string) bool { return strings.HasSuffix(entry, everythingBelow) }

// Matches reports whether an entry of a role or of an API key's scope stands
// for a name: the name itself, or "users.*" for every name that begins with
// "users.". There is no entry that stands for everything.
func Matches(entry, name string) bool {
	if !IsPattern(entry) {
		return entry == name
	}
	prefix := strings.TrimSuffix(entry, "*")
	return len(prefix) > 1 && len(name) > len(prefix) && strings.HasPrefix(name, prefix)
}
