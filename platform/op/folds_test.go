package op_test

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

type units struct{}

func (units) Tenant(tenancy.Tenant) uow.Unit { return &unit{} }

// folded counts what the records of refusals add up to.
func folded(r *optest.Records) (records, refusals int) {
	for _, e := range r.Entries() {
		records, refusals = records+1, refusals+1
		if again, ok := e.After.(op.Repeated); ok {
			refusals += again.Times - 1
		}
	}
	return records, refusals
}

func TestABurstOfRefusalsIsTwoRecords(t *testing.T) {
	now, records := clock.At(time.Unix(0, 0)), &optest.Records{}
	log := slog.New(slog.DiscardHandler)
	folds := op.NewFolds(units{}, records, now, id.NewSequence(9), log)
	refuse := func(c authn.Caller, d op.Def) {
		t.Helper()
		r := scope.Request{Tenant: tenancy.Tenant{ID: uuid.Max}, Caller: c}
		run := op.NewRunner(r, &unit{}, decide(false), records, now, id.NewSequence(1), log).Fold(folds)
		if err := run.Check(t.Context(), d); !errors.Is(err, errs.ErrForbidden) {
			t.Fatal(err)
		}
	}
	for range 1000 {
		refuse(somebody, change.On("7"))
	}
	if n, all := folded(records); n != 1 || all != 1 {
		t.Fatalf("%d records of %d refusals before the window is over", n, all)
	}
	other := somebody
	other.ID = uuid.New()
	refuse(other, change.On("7"))
	refuse(somebody, change.On("8"))
	refuse(somebody, see.On("7"))
	if n, _ := folded(records); n != 4 {
		t.Fatalf("%d records: what differs was folded", n)
	}
	folds.Flush(t.Context(), now.Now())
	if n, _ := folded(records); n != 4 {
		t.Fatal("a window was closed early")
	}
	now.Advance(op.FoldWindow)
	refuse(somebody, change.On("7")) // begins another window, and ends the last
	if n, all := folded(records); n != 6 || all != 1004 {
		t.Fatalf("%d records of %d refusals", n, all)
	}
	refuse(somebody, change.On("7"))
	folds.Close()
	folds.Close() // nothing is told twice
	if n, all := folded(records); n != 7 || all != 1005 {
		t.Fatalf("%d records of %d refusals at the end", n, all)
	}
	last := records.Entries()[6]
	if last.Outcome != op.Denied || last.Operation != change.Name || last.Target.ID != "7" || last.Caller.ID != somebody.ID {
		t.Errorf("recorded as %+v", last)
	}
}

// TestNoRefusalIsLostBetweenWindows lets many refuse while the windows are
// being closed: every refusal is in exactly one record.
func TestNoRefusalIsLostBetweenWindows(t *testing.T) {
	now, records := clock.At(time.Unix(0, 0)), &optest.Records{}
	log := slog.New(slog.DiscardHandler)
	folds := op.NewFolds(units{}, records, now, id.System{}, log)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				r := scope.Request{Tenant: tenancy.Tenant{ID: uuid.Max}, Caller: somebody}
				_ = op.NewRunner(r, &unit{}, decide(false), records, now, id.System{}, log).Fold(folds).Check(t.Context(), change)
				now.Advance(op.FoldWindow / 100)
			}
		})
	}
	wg.Go(func() {
		for range 200 {
			folds.Flush(t.Context(), now.Now().Add(-op.FoldWindow))
		}
	})
	wg.Wait()
	folds.Close()
	if _, all := folded(records); all != 8*500 {
		t.Errorf("%d refusals were recorded, want %d", all, 8*500)
	}
}
