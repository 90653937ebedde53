package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// load is a closed loop over kept-alive connections: each sends the next
// request when it has read the answer to the last one.
type load struct {
	connections []*connection
	next        func(w *worker) request
}

// worker makes the requests of one connection.
type worker struct {
	number int
	sent   int
	random *rand.Rand
}

func openLoad(ctx context.Context, addr string, tokens []string, next func(*worker) request) (*load, error) {
	l := &load{next: next}
	for _, token := range tokens {
		c, err := dial(ctx, addr, token)
		if err != nil {
			l.close()
			return nil, err
		}
		l.connections = append(l.connections, c)
	}
	return l, nil
}

func (l *load) close() {
	for _, c := range l.connections {
		c.close()
	}
}

// outcome is what one round came to.
type outcome struct {
	took      time.Duration // until the last answer
	latencies histogram
}

func (o *outcome) rate() float64 { return float64(o.latencies.total) / o.took.Seconds() }

// run sends requests for the length of a round. Those under way at its end
// count, with the time they take.
func (l *load) run(ctx context.Context, length time.Duration, seed uint64) (*outcome, error) {
	total := &outcome{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	end := start.Add(length)
	for i, c := range l.connections {
		random := rand.New(rand.NewPCG(seed, uint64(i))) //nolint:gosec // picks users to read; the same in every run
		w := &worker{number: i, random: random}
		group.Go(func() error {
			var own histogram
			for at := time.Now(); at.Before(end) && ctx.Err() == nil; w.sent++ {
				if err := c.do(l.next(w), nil); err != nil {
					return err
				}
				done := time.Now()
				own.add(done.Sub(at))
				at = done
			}
			mu.Lock()
			defer mu.Unlock()
			total.latencies.merge(&own)
			return ctx.Err()
		})
	}
	err := group.Wait()
	total.took = time.Since(start)
	return total, err
}
