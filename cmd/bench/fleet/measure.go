package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/fleet"
)

func measure(ctx context.Context, o options, d *database) error {
	fmt.Printf("%d tenants, %d at once\n%-42s %10s %12s %10s %10s\n", o.tenants, o.parallel, "what", "seconds", "per second", "p50 ms", "p99 ms")
	made, err := makeAll(ctx, o, d)
	if err != nil || o.brief {
		return err
	}
	o.tenants = made
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
