package op

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// FoldWindow is how long equal refusals are counted before their number is
// recorded. The first of them is recorded at once; a process that is killed
// loses at most the numbers of its last window, and none when it stops in
// order.
const FoldWindow = 10 * time.Second

// maxFolds bounds how many different refusals are counted at once; beyond it
// each is recorded by itself.
const maxFolds = 10_000

// Repeated is what the record of a burst of refusals says beside what each of
// them would have said.
type Repeated struct {
	Times int       `json:"times"` // beside the one that was recorded at once
	Since time.Time `json:"since"` // when the first of them came
}

// Folds makes one record of many equal refusals, so that nobody can fill the
// trail, or load the database, by asking again and again.
type Folds struct {
	units    Units
	recorder Recorder
	clock    clock.Clock
	ids      id.Source
	log      *slog.Logger

	mu   sync.Mutex
	open map[refusal]*fold
}

// refusal is what equal refusals have in common.
type refusal struct {
	tenant, caller, session uuid.UUID
	address                 netip.Addr
	operation, code, rule   string
	target                  uow.Target
}

// fold is one kind of refusal that is being counted.
type fold struct {
	tenant tenancy.Tenant
	last   Entry
	began  time.Time
	times  int
	since  time.Time
}

// NewFolds makes the folds of a process.
func NewFolds(units Units, rec Recorder, c clock.Clock, ids id.Source, log *slog.Logger) *Folds {
	return &Folds{units: units, recorder: rec, clock: c, ids: ids, log: log, open: map[refusal]*fold{}}
}

// again reports whether an equal refusal has just been recorded; then this one
// is counted and needs no record of its own.
func (f *Folds) again(ctx context.Context, t tenancy.Tenant, e Entry) bool {
	if f == nil {
		return false
	}
	key := refusal{
		tenant: t.ID, caller: e.Caller.ID, session: e.Caller.Session, address: e.Caller.Origin.Addr,
		operation: e.Operation, code: e.Code, rule: e.Decision.Rule, target: e.Target,
	}
	f.mu.Lock()
	known, ok := f.open[key]
	if ok && e.At.Sub(known.began) < FoldWindow {
		known.count(e)
		f.mu.Unlock()
		return true
	}
	if ok || len(f.open) < maxFolds {
		f.open[key] = &fold{tenant: t, began: e.At}
	}
	f.mu.Unlock()
	if ok {
		f.record(ctx, known)
	}
	return false
}

func (d *fold) count(e Entry) {
	if d.times == 0 {
		d.since = e.At
	}
	d.last, d.times = e, d.times+1
}

// record writes how often a refusal came again, as one record that names the
// last request.
func (f *Folds) record(ctx context.Context, d *fold) {
	if d.times == 0 {
		return
	}
	e := d.last
	e.ID, e.After = f.ids.New(), Repeated{Times: d.times, Since: d.since}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	err := f.units.Tenant(d.tenant).Record(ctx, func(tx uow.Tx) error { return f.recorder.Record(ctx, tx, e) })
	if err != nil {
		f.log.ErrorContext(ctx, "audit record lost", "operation", e.Operation, "outcome", string(e.Outcome),
			"code", e.Code, "actor", e.Caller.Label, "target", e.Target.ID, "times", d.times, "error", err)
	}
}

// Flush records what has been counted since before an instant; the far future
// stands for all of it.
func (f *Folds) Flush(ctx context.Context, before time.Time) {
	f.mu.Lock()
	var over []*fold
	for key, d := range f.open {
		if d.began.Before(before) {
			over = append(over, d)
			delete(f.open, key)
		}
	}
	f.mu.Unlock()
	for _, d := range over {
		f.record(ctx, d)
	}
}

// Run records, regularly, what has been counted for a window, until ctx ends;
// Close records the rest.
func (f *Folds) Run(ctx context.Context) error {
	ticker := time.NewTicker(FoldWindow / 4)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			f.Flush(ctx, f.clock.Now().Add(-FoldWindow))
		}
	}
}

// Close records all that has been counted. It comes after the last request.
func (f *Folds) Close() {
	f.Flush(context.Background(), f.clock.Now().Add(FoldWindow))
}
