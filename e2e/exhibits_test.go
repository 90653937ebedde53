package e2e_test

import "testing"

// exhibits make things in a household and list their ids, by the path that
// the ids can stand in. A module shows them in a file of its own
// (`var _ = show("/v1/things/{id}", …)`), so that a new module edits no test
// that is there already.
var exhibits = map[string]func(t *testing.T, h household) []string{}

// show adds the things of a module, before the first test runs. Two of them
// make a list of more than one page.
func show(path string, furnish func(t *testing.T, h household) []string) bool {
	exhibits[path] = furnish
	return true
}
