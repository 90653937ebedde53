package wiregen_test

import (
	"maps"
	"testing"
)

// exhibit is what the tests of the whole house must know about the things of
// one module: its rows for the tables of this package. A module shows it in a
// file of its own (`var _ = show(exhibit{…})`), so that a new module edits no
// test that is there already.
type exhibit struct {
	permissions map[string]string  // who may run each of its operations
	done        map[string]deed    // each write on its way to success
	failed      map[string]attempt // each write failing
	bodies      map[string]string  // right for the operations that take one
	lists       map[string]string  // paths of its lists, each with a filter that finds what the plain list finds
	product     bool               // the module is the product's own, not Insula's
	kind        string             // what the trail calls its things
	// thing makes one in a tenant, found by the filters of lists, and returns
	// its id; nil for a module without things.
	thing func(t *testing.T, n *tenant) string
}

var exhibits []exhibit

// show adds the rows of a module to the tables, before the first test runs.
func show(e exhibit) bool {
	exhibits = append(exhibits, e)
	maps.Copy(permissions, e.permissions)
	maps.Copy(done, e.done)
	maps.Copy(failed, e.failed)
	maps.Copy(bodies, e.bodies)
	maps.Copy(lists, e.lists)
	return true
}
