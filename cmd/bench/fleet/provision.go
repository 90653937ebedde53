package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// lonely is how many tenants are made one at a time in each way.
const lonely = 50

// maker makes tenants as the product does, without first rows.
type maker struct {
	d    *database
	mu   sync.Mutex
	made int
}

// makeAll makes the tenants and says how long each way of it took; it returns
// how many there are.
func makeAll(ctx context.Context, o options, d *database) (int, error) {
	m := &maker{d: d}
	if err := m.alone(ctx, "none there"); err != nil {
		return m.made, err
	}
	if err := m.bystanders(ctx, "none there"); err != nil {
		return m.made, err
	}
	if err := m.crowd(ctx, o); err != nil {
		return m.made, err
	}
	if err := m.alone(ctx, "all there"); err != nil {
		return m.made, err
	}
	return m.made, m.bystanders(ctx, "all there")
}

// alone is what somebody waits who asks for a tenant while nobody else does.
func (m *maker) alone(ctx context.Context, when string) error {
	for _, way := range []string{"own", "spare"} {
		if way == "spare" {
			if err := m.stock(ctx, "make spares, "+when, lonely); err != nil {
				return err
			}
		}
		var took []time.Duration
		start := time.Now()
		for range lonely {
			began := time.Now()
			if err := m.tenant(ctx, m.d.now, way == "spare"); err != nil {
				return err
			}
			took = append(took, time.Since(began))
		}
		row(fmt.Sprintf("provision alone, %s, %s", way, when), time.Since(start), took)
	}
	return nil
}

// block is how many tenants crowd makes in one way before it makes as many in
// the other.
const block = 50

// crowd makes tenants at the same time, half of them from the stock, and tells
// the first tenth from the last.
func (m *maker) crowd(ctx context.Context, o options) error {
	wide, err := m.d.now.Wide(ctx, int32(o.parallel))
	if err != nil {
		return err
	}
	defer wide.Close()
	took, all := map[bool][]time.Duration{}, map[bool]time.Duration{}
	var stocking time.Duration
	for done := 0; done < o.tenants; {
		for _, spare := range []bool{false, true} {
			n := min(block, o.tenants-done)
			if spare {
				start := time.Now()
				if err := m.fill(ctx, n); err != nil {
					return err
				}
				stocking += time.Since(start)
			}
			start := time.Now()
			some, err := m.together(ctx, wide, n, o.parallel, spare)
			if err != nil {
				return err
			}
			all[spare] += time.Since(start)
			took[spare] = append(took[spare], some...)
			done += n
			progress(done)
		}
	}
	for _, spare := range []bool{false, true} {
		name := map[bool]string{false: "own", true: "spare"}[spare]
		row("provision, "+name, all[spare], took[spare])
		tenth := max(len(took[spare])/10, 1)
		row("  the first tenth", 0, took[spare][:tenth])
		row("  the last tenth", 0, took[spare][len(took[spare])-tenth:])
	}
	fmt.Printf("%-42s %10.2f %12.1f\n", "make spares, 50 in a row", stocking.Seconds(), float64(len(took[true]))/stocking.Seconds())
	return nil
}

// together makes n tenants, some at once.
func (m *maker) together(ctx context.Context, by *pg.Migrator, n, parallel int, spare bool) ([]time.Duration, error) {
	var mu sync.Mutex
	var took []time.Duration
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for range n {
		g.Go(func() error {
			began := time.Now()
			err := m.tenant(ctx, by, spare)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(began))
			return err
		})
	}
	return took, g.Wait()
}

// stock fills the stock and says how long that took.
func (m *maker) stock(ctx context.Context, what string, n int) error {
	start := time.Now()
	err := m.fill(ctx, n)
	seconds := time.Since(start).Seconds()
	fmt.Printf("%-42s %10.2f %12.1f\n", what, seconds, float64(n)/seconds)
	return err
}

func (m *maker) fill(ctx context.Context, n int) error {
	name := func() string { return schemaOf(uuid.Must(uuid.NewV7())) }
	return pg.NewStock(m.d.now, pg.Stocking{Keep: n, Name: name, Clock: clock.System{}}).Restock(ctx)
}

func schemaOf(id uuid.UUID) string { return "t_" + hex.EncodeToString(id[:]) }

func (m *maker) tenant(ctx context.Context, by *pg.Migrator, spare bool) error {
	id := uuid.Must(uuid.NewV7())
	m.mu.Lock()
	slug := fmt.Sprintf("bench-%06d", m.made)
	m.made++
	m.mu.Unlock()
	return by.Provision(ctx, pg.Provisioning{
		Schema: schemaOf(id), Spare: spare,
		Claim: func(ctx context.Context, tx uow.Tx) (bool, error) {
			_, err := pg.DB(tx).Exec(ctx, `INSERT INTO control.tenants
				(id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at)
				VALUES ($1, $2, $2, 'customer', 'active', $3, 'a@example.com', 1, $4, $4)`, id, slug, schemaOf(id), time.Now().UTC())
			return true, err
		},
	}, func(uow.Tx) error { return nil })
}
