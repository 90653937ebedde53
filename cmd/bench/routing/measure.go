package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"
)

// figures are those of one way in one turn.
type figures struct {
	rate     float64 // reads per second
	p50, p99 time.Duration
	server   time.Duration // processor time of the backends for a read
	client   time.Duration // and of this process
	ratio    float64       // of the floor's rate in the same round
}

// measure prints the tables for a number of tenants.
func measure(ctx context.Context, o options, n int) (err error) {
	fmt.Fprintf(os.Stderr, "building %d tenants\n", n)
	c, err := build(ctx, o, n)
	if err != nil {
		return err
	}
	defer func() {
		if derr := c.drop(); err == nil {
			err = derr
		}
	}()
	fmt.Printf("\n%d tenants, %d connections, %d callers, %d rounds of %s, %d processors", n, o.conns, o.callers, o.rounds, o.duration, runtime.NumCPU())
	if c.provisioningTook > 0 {
		fmt.Printf("; provisioned in %.1f s (%.1f ms each, 4 at once)", c.provisioningTook.Seconds(), 4*c.provisioningTook.Seconds()*1000/float64(n))
	}
	fmt.Println()
	for _, spread := range o.spreads {
		if err := c.table(ctx, o, spread); err != nil {
			return err
		}
	}
	return c.starts(ctx, o)
}

// table measures all ways with one spread of the load over tenants: as they
// begin, then, warmed up, in short turns, so that what else the machine does
// hits all alike.
func (c *city) table(ctx context.Context, o options, spread string) error {
	ways, err := c.ways(ctx, o)
	if err != nil {
		return err
	}
	if o.only != nil {
		ways = slices.DeleteFunc(ways, func(w way) bool { return !slices.Contains(o.only, w.app) })
	}
	defer func() {
		for _, w := range ways {
			w.close()
		}
	}()
	b, err := c.watch(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	run := func(length time.Duration, first int) ([]figures, error) {
		turn := make([]figures, len(ways))
		for n := range ways {
			i := (first + n) % len(ways) // who comes after whom changes, so that nobody has it better for good
			if turn[i], err = c.turn(ctx, b, o, ways[i], spread, length); err != nil {
				return nil, fmt.Errorf("%s: %w", ways[i].name, err)
			}
		}
		for i := range turn {
			turn[i].ratio = turn[i].rate / turn[0].rate
		}
		return turn, nil
	}
	cold, err := run(o.duration, 0)
	if err != nil {
		return err
	}
	for _, w := range ways {
		if err := c.tour(ctx, o, w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	if _, err := run(o.warm, 0); err != nil {
		return err
	}
	warm := make([][]figures, len(ways))
	for round := range o.rounds {
		turn, err := run(o.duration, round)
		if err != nil {
			return err
		}
		for i := range ways {
			warm[i] = append(warm[i], turn[i])
		}
	}
	return c.print(ctx, b, spread, ways, cold, warm)
}

func (c *city) print(ctx context.Context, b *backends, spread string, ways []way, cold []figures, warm [][]figures) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "%s\treads/s\tof the floor\tp50\tp99\tserver CPU\tclient CPU\tmemory of a backend\tcold reads/s\tof the floor\n", spread)
	for i, w := range ways {
		memory, err := b.memory(ctx, w.app)
		if err != nil {
			return err
		}
		spent := func(of func(figures) time.Duration) time.Duration {
			return time.Duration(median(warm[i], func(f figures) float64 { return float64(of(f)) })).Round(time.Microsecond)
		}
		fmt.Fprintf(out, "%s\t%.0f\t%.2f\t%s\t%s\t%s\t%s\t%.1f MB\t%.0f\t%.2f\n", w.name,
			median(warm[i], func(f figures) float64 { return f.rate }), median(warm[i], func(f figures) float64 { return f.ratio }),
			spent(func(f figures) time.Duration { return f.p50 }), spent(func(f figures) time.Duration { return f.p99 }),
			spent(func(f figures) time.Duration { return f.server }),
			spent(func(f figures) time.Duration { return f.client }), memory, cold[i].rate, cold[i].ratio)
	}
	return out.Flush()
}

func median(all []figures, of func(figures) float64) float64 {
	values := make([]float64, len(all))
	for i, f := range all {
		values[i] = of(f)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// turn lets one way read for a time.
func (c *city) turn(ctx context.Context, b *backends, o options, w way, spread string, length time.Duration) (figures, error) {
	before, err := b.spent(ctx, w.app)
	if err != nil {
		return figures{}, err
	}
	began, own := time.Now(), processorTime()
	times, err := c.load(ctx, o, w, spread, began.Add(length))
	if err != nil {
		return figures{}, err
	}
	took := time.Since(began)
	own = processorTime() - own
	after, err := b.spent(ctx, w.app)
	if err != nil {
		return figures{}, err
	}
	var server time.Duration
	for pid, spent := range after {
		server += spent - before[pid] // of one that is new, all
	}
	slices.Sort(times)
	return figures{
		rate: float64(len(times)) / took.Seconds(), p50: times[len(times)/2], p99: times[len(times)*99/100],
		server: server / time.Duration(len(times)), client: own / time.Duration(len(times)),
	}, nil
}

// tour reads in every tenant a number of times, in another order each time.
func (c *city) tour(ctx context.Context, o options, w way) error {
	for range o.tour {
		order := rand.Perm(len(c.tenants)) //nolint:gosec // load
		g, ctx := errgroup.WithContext(ctx)
		g.SetLimit(o.callers)
		for _, i := range order {
			g.Go(func() error { return w.read(ctx, c.tenants[i], c.users[i][0]) })
		}
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// zipfExponent is how unequal tenants are: a few are busy, most are not.
const zipfExponent = 1.1

// load reads with all callers until end and returns how long each read took.
func (c *city) load(ctx context.Context, o options, w way, spread string, end time.Time) ([]time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	times := make([][]time.Duration, o.callers)
	var wg sync.WaitGroup
	for caller := range o.callers {
		seed := rand.Uint64() //nolint:gosec // load
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(caller), seed)) //nolint:gosec // load
			zipf := rand.NewZipf(random, zipfExponent, 1, uint64(len(c.tenants)-1))
			for {
				began := time.Now()
				if began.After(end) && len(times[caller]) > 0 || ctx.Err() != nil {
					return
				}
				i := random.IntN(len(c.tenants))
				if spread == "zipf" {
					i = int(zipf.Uint64())
				}
				if err := w.read(ctx, c.tenants[i], c.users[i][random.IntN(len(c.users[i]))]); err != nil {
					cancel(err)
					return
				}
				times[caller] = append(times[caller], time.Since(began))
			}
		})
	}
	wg.Wait()
	return slices.Concat(times...), context.Cause(ctx)
}
