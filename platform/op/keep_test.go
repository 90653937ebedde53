package op_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

var stolen = errs.New(errs.Unauthenticated, "things.stolen", "This was used before.")

// TestAKeptFailure: what the body did stays, in the transaction whose record
// says that the operation failed.
func TestAKeptFailure(t *testing.T) {
	run, u, records := runner(true, somebody)
	got, err := op.Do(t.Context(), run, change, func(tx uow.Tx) (string, error) {
		tx.Trail().On("thing", "7", "seven")
		tx.Trail().Changed("old", "new")
		return "half done", op.Keep(stolen)
	})
	if _, bare := err.(*errs.Error); got != "" || !bare || !errors.Is(err, stolen) { //nolint:errorlint // it must not be wrapped
		t.Fatalf("got %q, %v; want the error itself", got, err)
	}
	if *u != (unit{writes: 1}) {
		t.Errorf("units %+v, want one that commits and no other", *u)
	}
	e := records.Entries()
	if len(e) != 1 || e[0].Outcome != op.Failed || e[0].Code != stolen.Code || e[0].Before != "old" || e[0].After != "new" || e[0].Target.ID != "7" {
		t.Errorf("recorded %+v", e)
	}
}

// TestAKeptFailureThatIsWrappedIsNotKept: only the body itself decides.
func TestAKeptFailureThatIsWrappedIsNotKept(t *testing.T) {
	run, u, records := runner(true, somebody)
	_, err := op.Do(t.Context(), run, change, func(uow.Tx) (int, error) {
		return 0, fmt.Errorf("on the way out: %w", op.Keep(stolen))
	})
	if !errors.Is(err, stolen) || *u != (unit{writes: 1, records: 1}) {
		t.Errorf("%v with units %+v", err, *u)
	}
	if e := records.Entries(); len(e) != 1 || e[0].Outcome != op.Failed || e[0].Code != stolen.Code {
		t.Errorf("recorded %+v", e)
	}
}
