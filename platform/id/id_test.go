package id_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/id"
)

func TestSourcesMakeGrowingVersion7(t *testing.T) {
	sources := map[string]id.Source{"system": id.System{}, "sequence": id.NewSequence(42), "greatest seed": id.NewSequence(math.MaxUint64)}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			last := uuid.Nil
			for range 10_000 {
				u := source.New()
				if u.Version() != 7 || u.Variant() != uuid.RFC4122 {
					t.Fatalf("%s has version %v, variant %v", u, u.Version(), u.Variant())
				}
				if bytes.Compare(u[:], last[:]) <= 0 {
					t.Fatalf("%s follows %s", u, last)
				}
				last = u
			}
		})
	}
}

func TestSequenceDependsOnTheSeedAlone(t *testing.T) {
	a, again, seen := id.NewSequence(1), id.NewSequence(1), map[uuid.UUID]bool{}
	for range 100 {
		u := a.New()
		if u != again.New() {
			t.Fatal("the same seed gives two sequences")
		}
		seen[u] = true
	}
	for _, seed := range []uint64{0, 2, 1 << 62, 1<<63 + 1, 3<<62 + 1} {
		other := id.NewSequence(seed)
		for range 100 {
			if u := other.New(); seen[u] {
				t.Fatalf("seeds 1 and %d share %s", seed, u)
			}
		}
	}
}

func TestSequenceIsSafeForConcurrentUse(t *testing.T) {
	var (
		seq  = id.NewSequence(1)
		mu   sync.Mutex
		seen = map[uuid.UUID]bool{}
		wg   sync.WaitGroup
	)
	for range 100 {
		wg.Go(func() {
			u := seq.New()
			mu.Lock()
			defer mu.Unlock()
			seen[u] = true
		})
	}
	wg.Wait()
	if len(seen) != 100 {
		t.Errorf("%d different identifiers of 100", len(seen))
	}
}

func TestParse(t *testing.T) {
	const good = "0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d"
	for _, text := range []string{good, strings.ToUpper(good)} {
		u, err := id.Parse(text)
		if err != nil || u.String() != good {
			t.Errorf("Parse(%q) = %v, %v", text, u, err)
		}
	}
	for _, text := range []string{
		"", "x", good[:35], good + "0", "{" + good + "}", "urn:uuid:" + good, strings.ReplaceAll(good, "-", ""),
		strings.ReplaceAll(good, "-", ":"), "0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5g", uuid.Nil.String(), good[:35] + "\x00",
	} {
		if u, err := id.Parse(text); !errors.Is(err, id.ErrMalformed) || u != uuid.Nil {
			t.Errorf("Parse(%q) = %v, %v", text, u, err)
		}
	}
}
