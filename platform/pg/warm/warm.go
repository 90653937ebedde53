// Package warm reads in the busiest tenants before they are asked for: after the
// start of a process, and where a connection was replaced. The first time a
// backend meets a tenant it loads that schema's catalog entries and plans, which
// takes milliseconds instead of a fraction of one.
package warm

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Ranking knows who is busy; *pg.Pool implements it.
type Ranking interface {
	// Busiest lists those who were busy before this process began, the busiest first.
	Busiest(ctx context.Context, at time.Time, most int) ([]uuid.UUID, error)
	// NoteBusy keeps who was busy in this process since the last time, for the next.
	NoteBusy(ctx context.Context, at time.Time, most int) error
	// Renewed lists those whose home is a connection that is new since the last time.
	Renewed(most int) []uuid.UUID
}

// Units opens units of work for tenants.
type Units interface {
	Tenant(t tenancy.Tenant) uow.Unit
}

// Read is what requests read in a tenant, for nobody: statements that find nothing
// warm a connection as well as others. Finding nothing is no error.
type Read func(ctx context.Context, tx uow.Tx, t tenancy.Tenant) error

// Options are what a warmer works with.
type Options struct {
	Tenants   int // the most that are read in at a time; 0 for none
	AtOnce    int // of them; it should be a small part of the connections
	Ranking   Ranking
	Directory tenancy.Directory
	Units     Units
	Reads     []Read
	Clock     clock.Clock
	Log       *slog.Logger
	// Observe is told how reading in a tenant went; nil is fine.
	Observe func(took time.Duration, failed bool)
}

const (
	// warmFor bounds how long reading in goes on after a start or a replacement.
	// Who has not come up by then is met as any other tenant is.
	warmFor = 30 * time.Second
	// warmOne bounds it for one tenant.
	warmOne = 2 * time.Second
	// startFor bounds how long a start waits for it.
	startFor = 2 * time.Second
	// lookEvery is how often the warmer looks for replaced connections.
	lookEvery = time.Second
	// noteEvery is how often it notes who is busy.
	noteEvery = time.Minute
)

// Warmer reads in tenants.
type Warmer struct {
	o    Options
	done chan struct{} // the busiest at the start have been read in
}

// New makes a warmer, which does nothing until it is run.
func New(o Options) *Warmer {
	if o.Observe == nil {
		o.Observe = func(time.Duration, bool) {}
	}
	o.AtOnce = max(1, o.AtOnce)
	return &Warmer{o: o, done: make(chan struct{})}
}

// Run reads in the busiest tenants of before, and then looks after replaced
// connections and notes who is busy, until ctx ends. What fails is logged: a
// tenant that is not read in is only met later.
func (w *Warmer) Run(ctx context.Context) error {
	if w.o.Tenants == 0 {
		close(w.done)
		return nil
	}
	w.begin(ctx)
	close(w.done)
	look, note := time.NewTicker(lookEvery), time.NewTicker(noteEvery)
	defer look.Stop()
	defer note.Stop()
	for {
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), warmOne)
			defer cancel()
			w.note(ctx)
			return nil
		case <-look.C:
			if renewed := w.o.Ranking.Renewed(w.o.Tenants); len(renewed) > 0 {
				w.warm(ctx, "connections were replaced", renewed)
			}
		case <-note.C:
			w.note(ctx)
		}
	}
}

// Await waits until the busiest tenants have been read in after the start of Run:
// until then it is better to serve nobody, but not for long.
func (w *Warmer) Await(ctx context.Context) {
	timer := time.NewTimer(startFor)
	defer timer.Stop()
	select {
	case <-w.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// begin reads in those who were busy before. All connections that are opened
// by it are new, and looked after with it.
func (w *Warmer) begin(ctx context.Context) {
	busy, err := w.o.Ranking.Busiest(ctx, w.o.Clock.Now(), w.o.Tenants)
	if err != nil {
		w.o.Log.WarnContext(ctx, "the busiest tenants are not read in", "error", err)
		return
	}
	if len(busy) > 0 {
		w.warm(ctx, "start", busy)
	}
	w.o.Ranking.Renewed(0)
}

func (w *Warmer) note(ctx context.Context) {
	if err := w.o.Ranking.NoteBusy(ctx, w.o.Clock.Now(), w.o.Tenants); err != nil {
		w.o.Log.WarnContext(ctx, "busy tenants are not noted", "error", err)
	}
}

// warm reads in tenants, the busiest first, a few at once.
func (w *Warmer) warm(ctx context.Context, why string, busy []uuid.UUID) {
	ctx, cancel := context.WithTimeout(ctx, warmFor)
	defer cancel()
	var read atomic.Int64
	var g errgroup.Group
	g.SetLimit(w.o.AtOnce)
	for _, id := range busy {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error {
			began := time.Now()
			err := w.one(ctx, id)
			if w.o.Observe(time.Since(began), err != nil); err == nil {
				read.Add(1)
			}
			return nil
		})
	}
	_ = g.Wait() // nothing fails it
	w.o.Log.InfoContext(ctx, "busy tenants were read in", "why", why, "tenants", read.Load(), "of", len(busy))
}

// one reads in a tenant, if it is served. The first process to run a statement
// learns its types with it, and only then prepares it as requests will: so it
// reads twice, of which the second time costs next to nothing.
func (w *Warmer) one(ctx context.Context, id uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, warmOne)
	defer cancel()
	t, err := w.o.Directory.ByID(ctx, id)
	if err != nil {
		return err
	}
	if t.Status != tenancy.Active {
		return tenancy.ErrSuspended
	}
	unit := w.o.Units.Tenant(t)
	for range 2 {
		err = unit.Read(ctx, func(tx uow.Tx) error {
			for _, read := range w.o.Reads {
				if err := read(ctx, tx, t); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
