package warm_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg/warm"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// town is a ranking, a directory and a database of which the test knows all.
type town struct {
	busy, renewed []uuid.UUID
	statuses      map[uuid.UUID]tenancy.Status
	broken        error         // what the ranking fails with
	slow          time.Duration // what a read takes

	mu            sync.Mutex
	reads         []uuid.UUID
	notes         int
	atOnce, worst int
}

func (w *town) Busiest(context.Context, time.Time, int) ([]uuid.UUID, error) { return w.busy, w.broken }

func (w *town) NoteBusy(context.Context, time.Time, int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.notes++
	return w.broken
}

func (w *town) Renewed(most int) []uuid.UUID {
	w.mu.Lock()
	defer w.mu.Unlock()
	if most == 0 {
		return nil
	}
	renewed := w.renewed
	w.renewed = nil
	return renewed
}

func (w *town) ByID(_ context.Context, id uuid.UUID) (tenancy.Tenant, error) {
	status, ok := w.statuses[id]
	if !ok {
		return tenancy.Tenant{}, tenancy.ErrUnknown
	}
	return tenancy.Tenant{ID: id, Status: status}, nil
}

func (w *town) BySlug(context.Context, string) (tenancy.Tenant, error) {
	return tenancy.Tenant{}, tenancy.ErrUnknown
}

func (w *town) Tenant(t tenancy.Tenant) uow.Unit { return &unit{town: w, tenant: t.ID} }

type unit struct {
	uow.Unit
	town   *town
	tenant uuid.UUID
}

func (u *unit) Read(ctx context.Context, fn func(uow.Tx) error) error {
	u.town.mu.Lock()
	u.town.reads = append(u.town.reads, u.tenant)
	u.town.atOnce++
	u.town.worst = max(u.town.worst, u.town.atOnce)
	u.town.mu.Unlock()
	defer func() {
		u.town.mu.Lock()
		u.town.atOnce--
		u.town.mu.Unlock()
	}()
	select {
	case <-time.After(u.town.slow):
		return fn(nil)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *town) read() []uuid.UUID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Compact(slices.Clone(w.reads))
}

func people(n int) (ids []uuid.UUID, statuses map[uuid.UUID]tenancy.Status) {
	statuses = map[uuid.UUID]tenancy.Status{}
	for i := range n {
		id := uuid.UUID{15: byte(i + 1)}
		ids, statuses[id] = append(ids, id), tenancy.Active
	}
	return ids, statuses
}

func options(w *town, tenants int) warm.Options {
	return warm.Options{
		Tenants: tenants, AtOnce: 1, Ranking: w, Directory: w, Units: w, Clock: clock.System{},
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)),
		Reads: []warm.Read{func(context.Context, uow.Tx, tenancy.Tenant) error { return nil }},
	}
}

// run runs a warmer in a time of its own until the test is over.
func run(t *testing.T, o warm.Options, test func(ctx context.Context, w *warm.Warmer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		w := warm.New(o)
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		test(ctx, w)
		stop()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}

// The busiest are read in first, and who waits for it goes on when it is done.
func TestReadsInTheBusiest(t *testing.T) {
	ids, statuses := people(3)
	w := &town{busy: ids, statuses: statuses}
	var observed int
	o := options(w, 10)
	o.Observe = func(_ time.Duration, failed bool) {
		if observed++; failed {
			t.Error("one failed")
		}
	}
	run(t, o, func(ctx context.Context, warmer *warm.Warmer) {
		warmer.Await(ctx)
		if got := w.read(); !slices.Equal(got, ids) || observed != 3 {
			t.Errorf("read in %v, observed %d", got, observed)
		}
	})
	if w.notes != 1 {
		t.Errorf("noted %d times: once at the end is wanted", w.notes)
	}
}

// Who is not served, or not there any more, is left alone.
func TestSkipsWhoIsNotServed(t *testing.T) {
	ids, statuses := people(4)
	statuses[ids[1]] = tenancy.Suspended
	delete(statuses, ids[2])
	w := &town{busy: ids, statuses: statuses}
	run(t, options(w, 10), func(ctx context.Context, warmer *warm.Warmer) { warmer.Await(ctx) })
	if got := w.read(); !slices.Equal(got, []uuid.UUID{ids[0], ids[3]}) {
		t.Errorf("read in %v", got)
	}
}

func TestOffDoesNothing(t *testing.T) {
	ids, statuses := people(2)
	w := &town{busy: ids, renewed: ids, statuses: statuses}
	run(t, options(w, 0), func(ctx context.Context, warmer *warm.Warmer) {
		warmer.Await(ctx)
		time.Sleep(time.Hour)
	})
	if len(w.reads) != 0 || w.notes != 0 {
		t.Errorf("read in %v, noted %d times", w.reads, w.notes)
	}
}

// A start waits for slow reading in, but not for long; and it is never more at
// once than is allowed, nor goes on for ever.
func TestAStartDoesNotWaitForLong(t *testing.T) {
	ids, statuses := people(200)
	w := &town{busy: ids, statuses: statuses, slow: 900 * time.Millisecond}
	o := options(w, 200)
	o.AtOnce = 3
	run(t, o, func(ctx context.Context, warmer *warm.Warmer) {
		began := time.Now()
		warmer.Await(ctx)
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("the start took %s", took)
		}
		time.Sleep(2 * time.Minute)
		if got := len(w.read()); got == 200 || got < 30 {
			t.Errorf("%d of 200 were read in", got)
		}
	})
	if w.worst != 3 {
		t.Errorf("%d were read in at once", w.worst)
	}
}

// A database that fails keeps nobody from starting, and what follows is tried
// all the same.
func TestAFailingDatabaseDoesNotStopTheStart(t *testing.T) {
	ids, statuses := people(2)
	w := &town{busy: ids, renewed: ids[:1], statuses: statuses, broken: errors.New("away")}
	failed := 0
	o := options(w, 10)
	o.Reads = []warm.Read{func(context.Context, uow.Tx, tenancy.Tenant) error { return errs.ErrUnavailable }}
	o.Observe = func(_ time.Duration, f bool) {
		if f {
			failed++
		}
	}
	run(t, o, func(ctx context.Context, warmer *warm.Warmer) {
		warmer.Await(ctx)
		time.Sleep(90 * time.Second)
	})
	if len(w.reads) != 1 || failed != 1 || w.notes != 2 {
		t.Errorf("read in %v, %d failed, noted %d times", w.reads, failed, w.notes)
	}
}

// Where connections were replaced the tenants at home there are read in again.
func TestReadsInWhereConnectionsWereReplaced(t *testing.T) {
	ids, statuses := people(3)
	w := &town{statuses: statuses}
	run(t, options(w, 10), func(ctx context.Context, warmer *warm.Warmer) {
		warmer.Await(ctx)
		w.mu.Lock()
		w.renewed = ids[1:]
		w.mu.Unlock()
		time.Sleep(5 * time.Second)
		if got := w.read(); !slices.Equal(got, ids[1:]) {
			t.Errorf("read in %v", got)
		}
	})
}
