package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/warm"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// starts measures the first second of a new process, with and without reading in
// the busiest tenants ahead, in turns. Zipf's are the first of the city.
func (c *city) starts(ctx context.Context, o options) error {
	for range o.starts {
		for _, ahead := range []int{0, 100} {
			if err := c.start(ctx, o, min(ahead, len(c.tenants))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *city) start(ctx context.Context, o options, ahead int) error {
	wall, err := pg.Open(ctx, pg.Options{URL: c.app, MaxConns: int32(o.conns)})
	if err != nil {
		return err
	}
	defer wall.Close()
	began := time.Now()
	if err := c.readIn(ctx, wall, ahead, max(1, o.conns/4)); err != nil {
		return err
	}
	took := time.Since(began)
	times, err := c.load(ctx, o, wallWay(wall), "zipf", time.Now().Add(time.Second))
	if err != nil {
		return err
	}
	fmt.Printf("a start: %d tenants read in ahead in %.1f s, then %d reads in the first second\n", ahead, took.Seconds(), len(times))
	return nil
}

// readIn reads in the first tenants as a start does.
func (c *city) readIn(ctx context.Context, wall *pg.Pool, n, atOnce int) error {
	ctx, stop := context.WithCancel(ctx)
	known := directory{}
	var busy ranking
	for _, t := range c.tenants[:n] {
		known[t.ID], busy = t, append(busy, t.ID)
	}
	w := warm.New(warm.Options{
		Tenants: n, AtOnce: atOnce, Ranking: busy, Directory: known, Units: wall.Ahead(), Clock: clock.System{}, Log: slog.New(slog.DiscardHandler),
		Reads: []warm.Read{func(ctx context.Context, tx uow.Tx, _ tenancy.Tenant) error {
			if err := scan(pg.DB(tx).QueryRow(ctx, userQuery, uuid.Nil)); !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			return nil
		}},
	})
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	w.Await(ctx)
	stop()
	return <-ended
}

// ranking is who was busy before.
type ranking []uuid.UUID

// Busiest implements warm.Ranking.
func (r ranking) Busiest(context.Context, time.Time, int) ([]uuid.UUID, error) { return r, nil }

// NoteBusy implements warm.Ranking.
func (r ranking) NoteBusy(context.Context, time.Time, int) error { return nil }

// Renewed implements warm.Ranking.
func (r ranking) Renewed(int) []uuid.UUID { return nil }

// directory is the tenants of a city.
type directory map[uuid.UUID]tenancy.Tenant

// ByID implements tenancy.Directory.
func (d directory) ByID(_ context.Context, id uuid.UUID) (tenancy.Tenant, error) { return d[id], nil }

// BySlug implements tenancy.Directory; nobody asks.
func (d directory) BySlug(context.Context, string) (tenancy.Tenant, error) {
	return tenancy.Tenant{}, tenancy.ErrUnknown
}
