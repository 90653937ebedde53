package authn_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/perm"
)

var everything = []string{"files.delete", "files.list", "users.list", "users.roles.set", "billing.refund"}

func TestGrants(t *testing.T) {
	g := authn.NewGrants([]string{"clerk", "idle"}, map[string]string{"files.list": "clerk", "users.list": "helper"})
	if role, ok := g.Role("files.list"); role != "clerk" || !ok {
		t.Errorf("files.list comes from %q, %v", role, ok)
	}
	if rule, ok := g.Rule("users.list"); rule != "role helper" || !ok {
		t.Errorf("users.list rests on %q, %v", rule, ok)
	}
	if g.Has("files.delete") || g.Knows("files.delete") || g.Len() != 2 {
		t.Error("holds what nobody granted")
	}
	if !slices.Equal(g.Roles(), []string{"clerk", "idle", "helper"}) {
		t.Errorf("roles %v", g.Roles())
	}
	var nothing *authn.Grants
	if nothing.Has("files.list") || nothing.Len() != 0 || nothing.Narrow(everything) != nil || nothing.Covers(g) || !g.Covers(nothing) {
		t.Error("nil grants hold something")
	}
}

func TestADecisionMakesNothing(t *testing.T) {
	g := authn.NewGrants(nil, map[string]string{"files.list": "clerk", "users.list": "helper"})
	if n := testing.AllocsPerRun(100, func() {
		if _, ok := g.Rule("users.list"); !ok {
			t.Fatal("lost")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestNarrowIsIntersection compares with the plain meaning of a scope.
func TestNarrowIsIntersection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := map[string]string{}
		for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(everything), rapid.ID[string]).Draw(t, "held") {
			from[name] = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "role")
		}
		scope := rapid.SliceOf(rapid.SampledFrom(append([]string{"files.*", "users.*", "users.roles.*", "*", "", "made.up"}, everything...))).Draw(t, "scope")
		g := authn.NewGrants(nil, from)
		narrow := g.Narrow(scope)
		for _, name := range append([]string{"made.up"}, everything...) {
			_, held := from[name]
			within := slices.ContainsFunc(scope, func(entry string) bool { return perm.Matches(entry, name) })
			role, has := narrow.Role(name)
			if has != (held && within) || has && role != from[name] {
				t.Fatalf("%s: held %v, within %v, has %v by %q", name, held, within, has, role)
			}
		}
		if !g.Covers(narrow) || !narrow.Covers(narrow.Narrow(everything)) {
			t.Fatal("a scope has added something")
		}
	})
}
