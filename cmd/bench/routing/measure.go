package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"
)

// figures are those of one way in one round.
type figures struct {
	rate     float64 // reads per second
	p50, p99 time.Duration
	ratio    float64 // of the floor's rate in the same round
}

// measure prints the table for a number of tenants.
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
	fmt.Printf("\n%d tenants, %d connections, %d callers, %d rounds of %s, %d processors; provisioned in %.1f s (%.1f ms each, 4 at once)\n",
		n, o.conns, o.callers, o.rounds, o.duration, runtime.NumCPU(), c.provisioningTook.Seconds(), 4*c.provisioningTook.Seconds()*1000/float64(n))
	for _, spread := range []string{"zipf", "uniform"} {
		if err := c.table(ctx, o, spread); err != nil {
			return err
		}
	}
	return nil
}

func (c *city) table(ctx context.Context, o options, spread string) error {
	ways, err := c.ways(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		for _, w := range ways {
			w.close()
		}
	}()
	rounds := make([][]figures, len(ways))
	for _, w := range ways {
		if _, err := c.round(ctx, o, w, spread, o.warm); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	for round := range o.rounds {
		for i, w := range ways {
			f, err := c.round(ctx, o, w, spread, o.duration)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			rounds[i] = append(rounds[i], f)
			rounds[i][round].ratio = f.rate / rounds[0][round].rate
		}
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "%s\treads/s\tof the floor\tp50\tp99\tmemory of a backend\n", spread)
	for i, w := range ways {
		memory, err := c.memory(ctx, w.app)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s\t%.0f\t%.2f\t%s\t%s\t%.1f MB\n", w.name,
			median(rounds[i], func(f figures) float64 { return f.rate }), median(rounds[i], func(f figures) float64 { return f.ratio }),
			time.Duration(median(rounds[i], func(f figures) float64 { return float64(f.p50) })).Round(time.Microsecond),
			time.Duration(median(rounds[i], func(f figures) float64 { return float64(f.p99) })).Round(time.Microsecond), memory)
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

// zipfExponent is how unequal tenants are: a few are busy, most are not.
const zipfExponent = 1.1

func (c *city) round(ctx context.Context, o options, w way, spread string, length time.Duration) (figures, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	times := make([][]time.Duration, o.callers)
	var wg sync.WaitGroup
	start := time.Now()
	end := start.Add(length)
	for caller := range o.callers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(caller), 1)) //nolint:gosec // load, the same in every run
			zipf := rand.NewZipf(random, zipfExponent, 1, uint64(len(c.tenants)-1))
			for {
				began := time.Now()
				if began.After(end) || ctx.Err() != nil {
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
	took := time.Since(start)
	if err := context.Cause(ctx); err != nil {
		return figures{}, err
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	return figures{rate: float64(len(all)) / took.Seconds(), p50: all[len(all)/2], p99: all[len(all)*99/100]}, nil
}

// memory is what a backend of an application holds for itself, in MB, as the
// kernel counts it: the mean over the application's connections.
func (c *city) memory(ctx context.Context, app string) (float64, error) {
	conn, err := pgx.Connect(ctx, c.url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = $2`, c.name, app)
	if err != nil {
		return 0, err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || len(pids) == 0 {
		return 0, err
	}
	var sum float64
	for _, pid := range pids {
		sum += private(pid)
	}
	return sum / float64(len(pids)), nil
}

// private is a process's private memory in MB; 0 where the kernel does not say.
func private(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	var kb float64
	for line := range strings.SplitSeq(string(text), "\n") {
		var n float64
		if _, err := fmt.Sscanf(line, "Private_Dirty: %f kB", &n); err == nil {
			kb += n
		}
	}
	return kb / 1024
}
