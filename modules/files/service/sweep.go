package service

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Sweep finds what was left behind.
var Sweep = op.Job("files.sweep", "Look for uploads that were given up, deleted files past their retention, and strays in the object store.",
	op.Reading, op.Quiet("whatever it does to a file is an operation of its own"))

// Report says what a sweep of one tenant found, and did unless it was dry.
type Report struct {
	Uploads   int   `json:"uploads"`   // whose time was over: the files are gone, and their room is free
	Deletions int   `json:"deletions"` // of which the retention was over: the files are gone for good
	Requeued  int   `json:"requeued"`  // files that nobody had decided about: they are read again
	Strays    int   `json:"strays"`    // objects that no file names: removed
	Bytes     int64 `json:"bytes"`     // of the strays
	Parts     int   `json:"parts"`     // uploads in parts that no file knows: aborted
	Lost      int   `json:"lost"`      // files whose content the store does not have: kept from being read
	Found     int   `json:"found"`     // files whose lost content is there again: they can be read
	Strange   int   `json:"strange"`   // lost files where other content is there now: still kept from being read
}

// Clean reports whether there was nothing to do.
func (r Report) Clean() bool { return r == Report{} }

// Sweeper looks after the files of all tenants. Each sweep may be repeated,
// and run in several processes at once.
type Sweeper struct {
	// files makes the service of one piece of background work.
	files func(tenancy.Tenant, op.Def) *Files
	fresh tenancy.Fresh
	clock clock.Clock
	log   *slog.Logger
	batch int // rows that are read at once
}

// NewSweeper makes the sweeper of a process.
func NewSweeper(files func(tenancy.Tenant, op.Def) *Files, fresh tenancy.Fresh, c clock.Clock, log *slog.Logger) *Sweeper {
	return &Sweeper{files: files, fresh: fresh, clock: c, log: log, batch: batch}
}

// patience is how long content may be scanning before it is queued again: more
// than its examination takes with all its attempts.
const patience = 3 * time.Hour

// margin is added to the time an upload may take before anything that looks
// like the rest of one is removed.
const margin = time.Hour

// batch is how many rows are read at once.
const batch = 500

// due is what the database alone shows.
type due struct{ uploads, deletions, stuck []domain.Due }

// Sweep looks after one tenant's files. What it does to one file does not wait
// for the others: an error is told at the end, with what was done.
func (w *Sweeper) Sweep(ctx context.Context, t tenancy.Tenant, dry bool) (r Report, err error) {
	if _, err := w.fresh(ctx, t); err != nil { // or files would go by a retention that is not the tenant's
		return r, err
	}
	f := w.files(t, Sweep)
	found, err := op.Do(ctx, f.run, Sweep, func(tx uow.Tx) (due, error) { return w.due(ctx, tx, f) })
	if err != nil {
		return r, err
	}
	sweep := &sweep{Sweeper: w, tenant: t, reader: f, dry: dry, report: &r}
	err = errors.Join(
		sweep.each(ctx, found.uploads, GiveUp, (*Files).GiveUp, &r.Uploads),
		sweep.each(ctx, found.deletions, Purge, (*Files).Purge, &r.Deletions),
		sweep.each(ctx, found.stuck, Requeue, (*Files).Requeue, &r.Requeued),
		sweep.objects(ctx),
		sweep.parts(ctx),
	)
	return r, errors.Join(err, sweep.tell(ctx))
}

// due collects what it is time for.
func (w *Sweeper) due(ctx context.Context, tx uow.Tx, f *Files) (d due, err error) {
	now := w.clock.Now()
	if d.uploads, err = w.all(ctx, tx, f.Keep.ExpiredUploads, now); err != nil {
		return d, err
	}
	if d.deletions, err = w.all(ctx, tx, f.Keep.ExpiredDeletions, now.Add(-f.policy.Retention)); err != nil {
		return d, err
	}
	d.stuck, err = w.all(ctx, tx, f.Keep.Stuck, now.Add(-patience))
	return d, err
}

type lister func(ctx context.Context, tx uow.Tx, before time.Time, after domain.Due, limit int) ([]domain.Due, error)

// all reads a list to its end.
func (w *Sweeper) all(ctx context.Context, tx uow.Tx, list lister, before time.Time) (out []domain.Due, err error) {
	for last := (domain.Due{}); ; last = out[len(out)-1] {
		some, err := list(ctx, tx, before, last, w.batch)
		out = append(out, some...)
		if err != nil || len(some) < w.batch {
			return out, err
		}
	}
}

// sweep is one sweep of one tenant.
type sweep struct {
	*Sweeper
	tenant tenancy.Tenant
	reader *Files
	dry    bool
	report *Report
}

// each acts on files one by one, each in a unit of work of its own, and counts
// those for which it was still time.
func (s *sweep) each(ctx context.Context, files []domain.Due, d op.Def, act func(*Files, context.Context, uuid.UUID) (bool, error), count *int) error {
	var failed error
	for _, one := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s.dry {
			*count++
			continue
		}
		done, err := act(s.files(s.tenant, d), ctx, one.ID)
		if done {
			*count++
		}
		if err != nil && !errors.Is(err, domain.ErrNotFound) { // another process was quicker
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// tell records what was removed from the store.
func (s *sweep) tell(ctx context.Context) error {
	removed := Strays{Objects: s.report.Strays, Bytes: s.report.Bytes, Parts: s.report.Parts}
	if s.dry || removed == (Strays{}) {
		return nil
	}
	return s.files(s.tenant, Clear).Clear(ctx, s.tenant.ID, removed)
}

// ask is a look at the database on the way through the store.
func ask[T any](ctx context.Context, f *Files, question func(tx uow.Tx) (T, error)) (T, error) {
	return op.Do(ctx, f.run, Sweep, question)
}
