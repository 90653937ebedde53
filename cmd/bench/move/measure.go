package main

import (
	"context"
	"fmt"
	"os"
	"runtime/metrics"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

func measure(ctx context.Context, o options, h *house) error {
	db, err := h.behind(ctx, 0)
	if err != nil {
		return err
	}
	tables, err := h.size(ctx, db, "pg_table_size")
	if err != nil {
		return err
	}
	whole, err := h.size(ctx, db, "pg_total_relation_size")
	if err != nil {
		return err
	}
	if err := db.Close(ctx); err != nil {
		return err
	}
	fmt.Printf("a tenant of %d MB of tables, %d MB with indexes; %d writers and %d readers without a pause\n", tables, whole, o.writers, o.readers)
	l := h.load(ctx, o)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "move\tcopy s\tMB/s\twhole s\trounds\tattempts\tlocking ms\twindow ms\tslowest write ms\tslowest read ms\twrites/s\treads/s\theap MB\t")
	var windows []time.Duration
	for n := range o.moves {
		f, err := h.move(ctx, l, n)
		if err != nil {
			l.stop()
			l.all.Wait()
			return err
		}
		windows = append(windows, f.moved.Window)
		fmt.Fprintf(out, "%d\t%.1f\t%.0f\t%.1f\t%d\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t\n", n+1,
			f.moved.Copy.Seconds(), float64(f.moved.Bytes)/1e6/f.moved.Copy.Seconds(), f.took.Seconds(), f.moved.Rounds, f.moved.Attempts,
			milliseconds(f.moved.Waited), milliseconds(f.moved.Window), milliseconds(f.slowestWrite), milliseconds(f.slowestRead),
			float64(f.writes)/f.took.Seconds(), float64(f.reads)/f.took.Seconds(), f.heap)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	slices.Sort(windows)
	fmt.Printf("window: median %.0f ms, longest %.0f ms\n", milliseconds(windows[len(windows)/2]), milliseconds(windows[len(windows)-1]))
	return l.end(ctx)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// figures are those of one move.
type figures struct {
	moved                     pg.Moved
	took                      time.Duration // with cleaning up
	reads, writes             int
	slowestRead, slowestWrite time.Duration
	heap                      float64 // the most that was in use, in MB
}

// move moves the tenant to the server where it is not, and cleans up.
func (h *house) move(ctx context.Context, l *load, n int) (f figures, err error) {
	from, to := h.places[n%2], h.places[(n+1)%2]
	state := pg.Moving{Schema: h.tenant.Schema}
	hooks := pg.MoveHooks{
		Keep:  func(_ context.Context, m pg.Moving) error { state = m; return nil },
		Leave: func(ctx context.Context, tx uow.Tx) error { return h.place(ctx, tx, to) },
		Open: func(ctx context.Context) error {
			return to.migrator.Control().Write(ctx, func(tx uow.Tx) error { return h.place(ctx, tx, to) })
		},
		Progress: func(pg.MoveProgress) { f.heap = max(f.heap, heap()) },
	}
	mover := pg.NewMover(from.carrier, to.carrier, pg.MoveOptions{})
	l.sinceLast()
	start := time.Now()
	if f.moved, err = mover.Move(ctx, state, hooks); err != nil {
		return f, err
	}
	err = mover.Clean(ctx, state, hooks)
	f.took = time.Since(start)
	f.reads, f.writes, f.slowestRead, f.slowestWrite = l.sinceLast()
	return f, err
}

// place has a registry say where the tenant is.
func (h *house) place(ctx context.Context, tx uow.Tx, at *place) error {
	_, err := pg.DB(tx).Exec(ctx, "UPDATE control.tenants SET placement = $2 WHERE id = $1", h.tenant.ID, at.name)
	return err
}

// heap is what this process has in use, in MB: the mover, and the load.
func heap() float64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64()) / 1e6
}
