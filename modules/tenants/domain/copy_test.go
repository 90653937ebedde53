package domain_test

import (
	"errors"
	"slices"
	"testing"

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
