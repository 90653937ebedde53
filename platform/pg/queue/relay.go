package queue

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
)

// sweepEvery is how often all outboxes are looked at. Work that was queued by
// a process that lives is handed over at once; the sweep finds the rest.
const sweepEvery = 5 * time.Minute

// relay hands over work until ctx ends.
func (q *Queue) relay(ctx context.Context) {
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	q.sweep(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case id := <-q.o.Outbox.Signals():
			q.handByID(ctx, id)
		case <-sweep.C:
			q.sweep(ctx)
		}
	}
}

func (q *Queue) sweep(ctx context.Context) {
	all, err := q.o.Served(ctx)
	if err != nil {
		q.complain(ctx, "find tenants", err)
		return
	}
	for _, t := range all {
		if ctx.Err() != nil {
			return
		}
		q.hand(ctx, t)
		q.drainSignals(ctx)
	}
}

// drainSignals keeps fresh work from waiting for the end of a sweep.
func (q *Queue) drainSignals(ctx context.Context) {
	for {
		select {
		case id := <-q.o.Outbox.Signals():
			q.handByID(ctx, id)
		default:
			return
		}
	}
}

func (q *Queue) handByID(ctx context.Context, id uuid.UUID) {
	t, err := q.o.Tenants.ByID(ctx, id)
	if err != nil {
		q.complain(ctx, "find the tenant of queued work", err)
		return
	}
	q.hand(ctx, t)
}

func (q *Queue) hand(ctx context.Context, t tenancy.Tenant) {
	for {
		n, err := q.o.Outbox.Hand(ctx, t, func(ctx context.Context, work []pg.Work) error {
			return q.insert(ctx, t, work)
		})
		if err != nil {
			q.complain(ctx, "hand over queued work", err)
			return
		}
		if n == 0 {
			return
		}
	}
}

func (q *Queue) complain(ctx context.Context, doing string, err error) {
	if ctx.Err() == nil { // at the end everything fails
		q.o.Log.WarnContext(ctx, "job queue: could not "+doing, "error", err)
	}
}
