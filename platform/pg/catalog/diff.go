package catalog

import (
	"fmt"
	"slices"
)

// Diff names what is not as wanted: one line for each object that is missing, unexpected or defined otherwise.
// It is empty exactly when the fingerprints are equal.
func Diff(want, got Catalog) []string {
	var lines []string
	wanted := byKey(want)
	found := byKey(got)
	for _, o := range want {
		g, ok := found[o.key()]
		switch {
		case !ok:
			lines = append(lines, fmt.Sprintf("missing: %s", o))
		case g.Definition != o.Definition:
			lines = append(lines, fmt.Sprintf("differs: %s: want %q, got %q", o.key(), o.Definition, g.Definition))
		}
	}
	for _, o := range got {
		if _, ok := wanted[o.key()]; !ok {
			lines = append(lines, fmt.Sprintf("unexpected: %s", o))
		}
	}
	slices.Sort(lines)
	return lines
}

func byKey(c Catalog) map[string]Object {
	m := make(map[string]Object, len(c))
	for _, o := range c {
		m[o.key()] = o
	}
	return m
}
