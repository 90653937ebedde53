package pg

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// travel sends the reads of a party in one go and gives each its answer. Those
// of one tenant share a transaction, which opens once; each tenant has one of
// its own, so nothing of one tenant gets to the next. What an error kept from
// running goes once more, each read in a transaction of its own. If the connection
// was lost on the way, each that has no answer goes alone.
func (s *shards) travel(at *shard, c *pgx.Conn, party []*quick) {
	session := sessionOf(c)
	sent := party[:0:0]
	for _, r := range party {
		r.opener = session.opener(r.opening)
		r.statement = session.one(r.tenant, r.sql, s.visits(at, r.tenant))
		if r.opener == nil || r.statement == nil {
			r.slow = true
			continue
		}
		sent = append(sent, r)
	}
	if len(sent) == 0 {
		return
	}
	ctx, done := shared(sent)
	defer done()
	for _, r := range sent {
		r.span = s.tracer.TraceQueryStart(r.ctx, c, pgx.TraceQueryStartData{SQL: r.sql, Args: r.args})
	}
	began := time.Now()
	together := households(sent)
	first := newTrip(c, len(together) > 1 && session.chains())
	if left := first.make(ctx, together); len(left) > 0 {
		newTrip(c, false).make(ctx, slices.Collect(slices.Chunk(left, 1)))
	}
	s.pace.saw(time.Since(began), len(first.asked) > 0)
	lost := c.IsClosed()
	for _, r := range sent {
		s.tracer.TraceQueryEnd(r.span, c, pgx.TraceQueryEndData{Err: r.failure()})
		if forgotten(r.err) {
			session.drop(r.statement)
		}
		r.slow = r.slow || forgotten(r.err) || stale(r.err) || lost && r.err != nil && !r.answered && r.ctx.Err() == nil
	}
}

// failure is what went wrong; that there is no row is an answer.
func (r *quick) failure() error {
	if errors.Is(r.err, pgx.ErrNoRows) {
		return nil
	}
	return r.err
}

// households groups reads by tenant.
func households(party []*quick) [][]*quick {
	var all [][]*quick
	for _, r := range party {
		i := slices.IndexFunc(all, func(h []*quick) bool { return h[0].tenant == r.tenant })
		if i < 0 {
			i, all = len(all), append(all, nil)
		}
		all[i] = append(all[i], r)
	}
	return all
}

// shared is a context that ends when nobody of a party wants its answer any more.
func shared(party []*quick) (context.Context, func()) {
	if len(party) == 1 {
		return party[0].ctx, func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(party[0].ctx))
	var mu sync.Mutex
	wanted := len(party)
	stops := make([]func() bool, len(party))
	for i, r := range party {
		stops[i] = context.AfterFunc(r.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if wanted--; wanted == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}
