package domain_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/insulahq/insula/modules/tenants/domain"
)

// TestCopiesBesideEachOther: rows are read by many at once and replaced by one
// alone.
func TestCopiesBesideEachOther(t *testing.T) {
	all := []domain.CopyKind{domain.CopyOut, domain.CopyIn, domain.CopyOver, domain.CopyClone}
	busy := map[domain.CopyKind][]domain.CopyKind{
		domain.CopyOut:   {domain.CopyOut, domain.CopyOver},
		domain.CopyOver:  {domain.CopyOut, domain.CopyOver, domain.CopyClone},
		domain.CopyClone: {domain.CopyOver},
	}
	for _, k := range all {
		for _, other := range all {
			if got, want := k.Beside([]domain.CopyKind{domain.CopyIn, other}), slices.Contains(busy[k], other); errors.Is(got, domain.ErrBusy) != want {
				t.Errorf("%s beside %s: %v", k, other, got)
			}
		}
		if err := k.Beside(nil); err != nil {
			t.Errorf("%s alone: %v", k, err)
		}
	}
}

func TestACopyIsGivenUpAfterManyAttemptsAndMinutes(t *testing.T) {
	begun := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		attempts int
		after    time.Duration
		want     bool
	}{
		"few, soon":                   {39, time.Minute, false},
		"few, slow ones":              {39, time.Hour, false},
		"many, of many processes":     {400, time.Minute, false},
		"many, and away for too long": {40, 10 * time.Minute, true},
	} {
		c := domain.Copy{Attempts: tc.attempts, Begun: begun}
		if got := c.Hopeless(begun.Add(tc.after)); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
