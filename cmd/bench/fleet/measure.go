package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/fleet"
	"github.com/insulahq/insula/platform/uow"
)

func measure(ctx context.Context, o options, d *database) error {
	fmt.Printf("%d tenants, %d at once\n%-42s %10s %12s %10s %10s\n", o.tenants, o.parallel, "what", "seconds", "per second", "p50 ms", "p99 ms")
	if err := alone(ctx, d, "provision, one at a time, none there", 0); err != nil {
		return err
	}
	if err := provision(ctx, o, d); err != nil {
		return err
	}
	if err := alone(ctx, d, "provision, one at a time, all there", lonely+o.tenants); err != nil || o.brief {
		return err
	}
	o.tenants += 2 * lonely
	f := fleet.New(pg.NewPlacements(d.upcoming, nil), clock.System{})
	var plan fleet.Plan
	if err := once("plan, all behind", func() (err error) { plan, err = f.Plan(ctx, fleet.Selection{}); return err }); err != nil {
		return err
	}
	if len(plan.Behind) != o.tenants {
		return fmt.Errorf("%d tenants are behind, want %d", len(plan.Behind), o.tenants)
	}
	if err := verify(ctx, o, fleet.New(pg.NewPlacements(d.now, nil), clock.System{}), "verify"); err != nil {
		return err
	}
	var took []time.Duration
	start := time.Now()
	report, err := f.Apply(ctx, fleet.Options{Parallel: o.parallel, Canary: 1, Told: func(out fleet.Outcome) {
		took = append(took, out.Took)
		progress(len(took))
	}})
	if err != nil {
		return fmt.Errorf("%+v: %w", report, err)
	}
	row("apply: a column, then an index outside", time.Since(start), took)
	if err := once("apply, nothing to do", func() error { _, err := f.Apply(ctx, fleet.Options{Parallel: o.parallel}); return err }); err != nil {
		return err
	}
	return verify(ctx, o, f, "verify again")
}

// provision makes the tenants as the product does, without first rows, and
// tells the first tenth from the last.
func provision(ctx context.Context, o options, d *database) error {
	m, err := d.now.Wide(ctx, int32(o.parallel))
	if err != nil {
		return err
	}
	defer m.Close()
	var mu sync.Mutex
	var took []time.Duration
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(o.parallel)
	for i := range o.tenants {
		g.Go(func() error {
			i := lonely + i
			began := time.Now()
			err := makeTenant(ctx, m, i)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(began))
			progress(len(took))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	row("provision", time.Since(start), took)
	tenth := len(took) / 10
	row("  the first tenth", 0, took[:tenth])
	row("  the last tenth", 0, took[len(took)-tenth:])
	return nil
}

// lonely is how many tenants are made one at a time.
const lonely = 50

// alone is what somebody waits who asks for a tenant while nobody else does.
// The numbers of its tenants begin at first.
func alone(ctx context.Context, d *database, what string, first int) error {
	var took []time.Duration
	start := time.Now()
	for i := range lonely {
		began := time.Now()
		if err := makeTenant(ctx, d.now, first+i); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	row(what, time.Since(start), took)
	return nil
}

func makeTenant(ctx context.Context, m *pg.Migrator, i int) error {
	id := uuid.Must(uuid.NewV7())
	schema := "t_" + hex.EncodeToString(id[:])
	return m.Provision(ctx, pg.Provisioning{
		Schema: schema,
		Claim: func(ctx context.Context, tx uow.Tx) (bool, error) {
			_, err := pg.DB(tx).Exec(ctx, `INSERT INTO control.tenants
				(id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at)
				VALUES ($1, $2, $2, 'customer', 'active', $3, 'a@example.com', 1, $4, $4)`, id, fmt.Sprintf("bench-%06d", i), schema, time.Now().UTC())
			return true, err
		},
	}, func(uow.Tx) error { return nil })
}

func verify(ctx context.Context, o options, f *fleet.Fleet, what string) error {
	start := time.Now()
	v, err := f.Verify(ctx, fleet.VerifyOptions{Parallel: o.parallel, Told: func(found fleet.Finding) {
		fmt.Fprintln(os.Stderr, found.Tenant.Slug, found.Drift)
	}})
	if err == nil && (v.Drifted > 0 || v.Checked != o.tenants) {
		err = fmt.Errorf("verified %+v", v)
	}
	seconds := time.Since(start).Seconds()
	fmt.Printf("%-42s %10.2f %12.1f\n", what, seconds, float64(o.tenants)/seconds)
	return err
}

// once times something that is one query.
func once(what string, do func() error) error {
	start := time.Now()
	err := do()
	fmt.Printf("%-42s %10.3f\n", what, time.Since(start).Seconds())
	return err
}

func row(what string, all time.Duration, took []time.Duration) {
	took = slices.Sorted(slices.Values(took))
	total := fmt.Sprintf("%10s %12s", "", "")
	if all > 0 {
		total = fmt.Sprintf("%10.2f %12.1f", all.Seconds(), float64(len(took))/all.Seconds())
	}
	ms := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000 }
	fmt.Printf("%-42s %s %10.1f %10.1f\n", what, total, ms(0.5), ms(0.99))
}

func progress(n int) {
	if n%1000 == 0 {
		fmt.Fprintf(os.Stderr, "%d\n", n)
	}
}
