package auditmodule

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
)

// Trails wait from their first record on, each for as long as its tenant has
// it at the moment; what failed does not wait for long.
func TestRounds(t *testing.T) {
	soon, late := uuid.MustParse("00000000-0000-7000-8000-000000000001"), uuid.MustParse("00000000-0000-7000-8000-000000000002")
	wait := map[uuid.UUID]time.Duration{soon: time.Second, late: time.Hour}
	begin := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	r := newRounds()
	due := func(after time.Duration, want ...uuid.UUID) {
		t.Helper()
		got := r.take(begin.Add(after), func(t uuid.UUID) time.Duration { return wait[t] })
		slices.SortFunc(got, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
		if !slices.Equal(got, want) {
			t.Errorf("after %s: %v, want %v", after, got, want)
		}
	}
	r.begin(begin, soon, late)
	r.begin(begin.Add(900*time.Millisecond), soon) // another record: the first one counts
	due(999 * time.Millisecond)
	due(time.Second, soon)
	due(2 * time.Second)
	due(time.Hour, late)

	r.begin(begin, late)
	wait[late] = time.Minute // the tenant's setting is changed while it waits
	due(59 * time.Second)
	due(time.Minute, late)

	wait[late] = time.Hour
	r.failed(begin, late)
	due(9 * time.Second)
	due(retryAfter, late)

	r.begin(begin, soon, late)
	r.takeAll()
	due(2 * time.Hour)
}
