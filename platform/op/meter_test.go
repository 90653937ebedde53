package op_test

import (
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

// counts is a meter that can be read.
type counts map[string]int

func (c counts) ObserveDecision(outcome string) { c[outcome]++ }

// TestEachOperationCountsOnce: also when it was decided before its body was
// read, as the HTTP layer does.
func TestEachOperationCountsOnce(t *testing.T) {
	for name, tc := range map[string]struct {
		allow  bool
		caller authn.Caller
		want   counts
	}{
		"allowed":  {true, somebody, counts{"allowed": 1}},
		"denied":   {false, somebody, counts{"denied": 1}},
		"stranger": {false, authn.Caller{}, counts{"not_signed_in": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			got := counts{}
			run, _, _ := runner(tc.allow, tc.caller)
			run.Count(got)
			if run.Check(t.Context(), see) == nil {
				_, err := op.Do(t.Context(), run, see, func(uow.Tx) (int, error) { return 1, nil })
				if err != nil {
					t.Fatal(err)
				}
			}
			if !maps.Equal(got, tc.want) {
				t.Errorf("counted %v, want %v", got, tc.want)
			}
		})
	}
}

// TestOwnersCountByWhatTheBodySays: until then there is nothing to count.
func TestOwnersCountByWhatTheBodySays(t *testing.T) {
	mine := op.Read("things.mine", "See what is mine.", op.OwnerToo)
	for _, tc := range []struct {
		owned bool
		want  counts
	}{{true, counts{"allowed": 1}}, {false, counts{"denied": 1}}} {
		got := counts{}
		run := op.NewRunner(scope.Request{Caller: somebody}, &unit{}, ifOwner{}, &optest.Records{},
			clock.At(time.Unix(0, 0)), id.NewSequence(1), slog.New(slog.DiscardHandler)).Count(got)
		_, err := op.Do(t.Context(), run, mine, func(tx uow.Tx) (int, error) {
			if tc.owned {
				return 1, tx.Trail().OwnedBy(somebody.ID)
			}
			return 1, nil
		})
		if (err == nil) != tc.owned || !maps.Equal(got, tc.want) {
			t.Errorf("owned %v: %v, counted %v, want %v", tc.owned, err, got, tc.want)
		}
	}
}
