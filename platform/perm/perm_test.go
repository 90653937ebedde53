package perm_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/insulahq/insula/platform/perm"
)

func TestMatches(t *testing.T) {
	for _, tc := range []struct {
		entry, name string
		want        bool
	}{
		{"users.list", "users.list", true},
		{"users.list", "users.lists", false},
		{"users.*", "users.list", true},
		{"users.*", "users.roles.set", true},
		{"users.roles.*", "users.roles.set", true},
		{"users.roles.*", "users.list", false},
		{"users.*", "users", false},
		{"users.*", "users.", false},
		{"users.*", "userships.list", false},
		{"*", "users.list", false},
		{".*", "users.list", false},
		{".*", ".list", false},
		{"", "users.list", false},
		{"users*", "users.list", false},
	} {
		if got := perm.Matches(tc.entry, tc.name); got != tc.want {
			t.Errorf("%q stands for %q: %v, want %v", tc.entry, tc.name, got, tc.want)
		}
	}
}

func TestExtendKeepsMeanings(t *testing.T) {
	base := perm.NewNames([]string{"users.list", "files.list", "users.list"})
	long := base.Extend([]string{"files.list", "billing.refund"})
	if base.Len() != 2 || long.Len() != 3 {
		t.Fatalf("%d and %d names", base.Len(), long.Len())
	}
	s := base.Select("files.list", 0, base.Len())
	if got := long.Of(s); !slices.Equal(got, []string{"files.list"}) {
		t.Errorf("the same set means %v over the longer list", got)
	}
	if _, known := base.Find("billing.refund"); known {
		t.Error("the shorter list has changed")
	}
	if got := long.Select("files.list", base.Len(), long.Len()); !got.IsEmpty() {
		t.Error("a name of the first part was selected from the second")
	}
}

// TestSetsAreSets compares with sets that are slow and plain.
func TestSetsAreSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfDistinct(rapid.IntRange(0, 199), rapid.ID[int])
		a, b := numbers.Draw(t, "a"), numbers.Draw(t, "b")
		x, y := perm.NewSet(200), perm.NewSet(rapid.SampledFrom([]int{200, 260}).Draw(t, "room"))
		for _, i := range a {
			x.Add(i)
		}
		for _, i := range b {
			y.Add(i)
		}
		both, union := x.And(y), perm.NewSet(260)
		union.AddAll(x)
		union.AddAll(y)
		covers := true
		for i := range 260 {
			inA, inB := slices.Contains(a, i), slices.Contains(b, i)
			if x.Has(i) != inA || both.Has(i) != (inA && inB) || union.Has(i) != (inA || inB) {
				t.Fatalf("%d: %v %v, have %v, both %v, union %v", i, inA, inB, x.Has(i), both.Has(i), union.Has(i))
			}
			covers = covers && (inA || !inB)
		}
		if x.Covers(y) != covers || x.Len() != len(a) || x.IsEmpty() != (len(a) == 0) {
			t.Fatalf("covers %v, want %v; %d in it, want %d", x.Covers(y), covers, x.Len(), len(a))
		}
	})
}

func BenchmarkFindAndHas(b *testing.B) {
	names := make([]string, 100)
	for i := range names {
		names[i] = fmt.Sprintf("module%d.operation_%d", i/10, i)
	}
	n := perm.NewNames(names)
	s := n.Select(names[73], 0, n.Len())
	for b.Loop() {
		if i, ok := n.Find(names[73]); !ok || !s.Has(i) {
			b.Fatal("lost")
		}
	}
}
