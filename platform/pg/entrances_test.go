package pg

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/tenancy"
)

// waits is how many units of work of a tenant wait for their turn.
func (e *entrances) waits(tenant uuid.UUID) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if at, ok := e.open[tenant]; ok {
		return len(at.waiting)
	}
	return 0
}

func TestEntrancesAreBounded(t *testing.T) {
	share := Share{Units: 2, Waiting: 1}
	e := newEntrances(func(uuid.UUID) Share { return share })
	noisy, quiet := uuid.New(), uuid.New()
	for range 2 {
		if err := e.enter(t.Context(), noisy, share); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() { gone <- e.enter(ctx, noisy, share) }()
	await(t, func() bool { return e.waits(noisy) == 1 })
	if err := e.enter(t.Context(), noisy, share); !errors.Is(err, tenancy.ErrBusy) {
		t.Errorf("beyond the queue: %v", err)
	}
	if err := e.enter(t.Context(), quiet, share); err != nil {
		t.Errorf("the other tenant: %v", err)
	}
	e.leave(quiet)
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) || e.waits(noisy) != 0 {
		t.Errorf("who gave up: %v, %d still wait", err, e.waits(noisy))
	}
	turn := make(chan error)
	go func() { turn <- e.enter(t.Context(), noisy, share) }()
	await(t, func() bool { return e.waits(noisy) == 1 })
	e.leave(noisy)
	if err := <-turn; err != nil {
		t.Errorf("whose turn it was: %v", err)
	}
	share = Share{Units: 1} // a smaller share lets nobody in until it is kept
	e.leave(noisy)
	if err := e.enter(t.Context(), noisy, share); !errors.Is(err, tenancy.ErrBusy) {
		t.Errorf("beyond the smaller share: %v", err)
	}
	e.leave(noisy)
	if len(e.open) != 0 {
		t.Errorf("%d tenants are remembered for nothing", len(e.open))
	}
}

// However many come, go and give up, no more are inside than may be, and none
// is forgotten.
func TestEntrancesUnderLoad(t *testing.T) {
	share := Share{Units: 3, Waiting: 1000}
	e := newEntrances(func(uuid.UUID) Share { return share })
	tenant := uuid.New()
	var inside, most atomic.Int64
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			for range 50 {
				ctx, cancel := context.WithCancel(t.Context())
				if i%4 == 0 {
					go cancel()
				}
				if e.enter(ctx, tenant, share) == nil {
					now := inside.Add(1)
					for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
					}
					inside.Add(-1)
					e.leave(tenant)
				}
				cancel()
			}
		})
	}
	all.Wait()
	if most.Load() > 3 || len(e.open) != 0 {
		t.Errorf("%d inside at once, %d tenants left", most.Load(), len(e.open))
	}
}

func await(t *testing.T, done func() bool) {
	t.Helper()
	for !done() {
		runtime.Gosched() // the end of the test run is the limit
	}
}
