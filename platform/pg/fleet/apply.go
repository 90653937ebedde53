package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// What ends an Apply early or imperfectly.
var (
	// ErrCanary: one of the tenants that go first failed, and none was begun after it.
	ErrCanary = errors.New("a canary failed, the others were not touched")
	// ErrFailed: some tenants failed; they are as they were.
	ErrFailed = errors.New("some tenants failed")
)

// Options say how to go about it.
type Options struct {
	Selection
	Parallel int // tenants at once, at least 1
	Canary   int // so many go first, one by one; the first failure among them ends everything
	Wave     int // after so many a failure among them ends everything; 0 is one wave of all
	// Planned hears how many tenants are behind, before the first is begun.
	Planned func(behind int)
	// Told hears of each tenant as it ends, one at a time.
	Told func(Outcome)
}

// Outcome is how it went with one tenant.
type Outcome struct {
	Tenant  Tenant
	Canary  bool
	Applied []string // versions
	Took    time.Duration
	Err     error // the tenant is then as it was
	// Moving says that nothing was done, because the tenant is being moved to
	// another placement, or has just been: the next run takes it.
	Moving bool
}

// Report counts.
type Report struct {
	Target int64 `json:"target"`
	Done   int   `json:"done"`
	Failed int   `json:"failed"`
	Left   int   `json:"left"`   // not begun, because something ended the run
	Moving int   `json:"moving"` // passed by, because they are being moved: the next run takes them
	Erased int   `json:"erased"` // passed by, because their erasure has begun since the plan was made
	Newer  int   `json:"newer"`  // beyond the target, left alone
}

// Apply brings the tenants that are behind to the newest version. Each is a
// transaction of its own, and what fails in one does not touch another. The
// error is ErrFrozen, ErrCanary or ErrFailed, or that of the control schema,
// without which nothing can be done. It may be repeated at any time, and run
// by several processes at once.
func (f *Fleet) Apply(ctx context.Context, o Options) (Report, error) {
	plan, err := f.Plan(ctx, o.Selection)
	if o.Told != nil {
		for _, t := range plan.Moving {
			o.Told(Outcome{Tenant: t, Moving: true})
		}
	}
	r := &pass{fleet: f, o: o, report: Report{Target: plan.Target, Left: len(plan.Behind), Moving: len(plan.Moving), Newer: plan.Newer}}
	if err != nil || len(plan.Behind) == 0 {
		return r.report, err
	}
	if r.workers, err = f.hands(ctx, plan.Behind, o.Parallel); err != nil {
		return r.report, err
	}
	defer r.workers.close()
	if o.Planned != nil {
		o.Planned(len(plan.Behind))
	}
	err = r.all(ctx, plan.Behind)
	return r.report, err
}

// pass is one Apply.
type pass struct {
	fleet   *Fleet
	o       Options
	workers hands

	mu     sync.Mutex
	report Report
}

func (r *pass) all(ctx context.Context, behind []Tenant) error {
	canaries := min(max(r.o.Canary, 0), len(behind))
	for _, t := range behind[:canaries] {
		if err := r.one(ctx, t, true); err != nil {
			return err
		}
		if r.report.Failed > 0 {
			return ErrCanary
		}
	}
	rest := behind[canaries:]
	for len(rest) > 0 && r.report.Failed == 0 {
		n := len(rest)
		if r.o.Wave > 0 {
			n = min(r.o.Wave, n)
		}
		if err := r.wave(ctx, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	if r.report.Failed > 0 {
		return ErrFailed
	}
	return nil
}

// wave takes tenants at the same time. What ends the pass does not interrupt
// those that are under way.
func (r *pass) wave(ctx context.Context, tenants []Tenant) error {
	var g errgroup.Group
	g.SetLimit(max(r.o.Parallel, 1))
	var over atomic.Bool
	for _, t := range tenants {
		g.Go(func() error {
			if over.Load() {
				return nil
			}
			err := r.one(ctx, t, false)
			if err != nil {
				over.Store(true)
			}
			return err
		})
	}
	return g.Wait()
}

// one takes a tenant. Its failure is an outcome; an error is what must end the
// pass: a freeze, the end of ctx, or that the control schema is out of reach.
func (r *pass) one(ctx context.Context, t Tenant, canary bool) error {
	if err := r.fleet.open(ctx); err != nil {
		return err
	}
	if gone, err := r.gone(ctx, t); err != nil || gone {
		return err
	}
	q, start := r.fleet.q, r.fleet.clock.Now()
	ended := func(db pg.DBTX, state, message string) error {
		return q.FinishAttempt(ctx, db, pgdb.FinishAttemptParams{
			TenantID: t.ID, Target: r.report.Target, State: state, Error: message,
			StartedAt: start, FinishedAt: r.fleet.clock.Now(),
		})
	}
	applied, err := r.upgrade(ctx, t, func(db pg.DBTX) error { return ended(db, stateDone, "") })
	if ctx.Err() != nil {
		return ctx.Err() // nobody's fault
	}
	if err != nil {
		if gone, gerr := r.gone(ctx, t); gerr != nil || gone {
			return gerr
		}
		failed := r.fleet.write(ctx, func(db pg.DBTX) error { return ended(db, stateFailed, err.Error()) })
		if failed != nil {
			return fmt.Errorf("tenant %s: %w; and that cannot be noted: %w", t.Slug, err, failed)
		}
	}
	r.tell(Outcome{Tenant: t, Canary: canary, Applied: applied, Took: r.fleet.clock.Now().Sub(start), Err: err})
	return nil
}

// gone reports that a tenant is not where the plan has it. It tells of one that
// has begun to move since, or has moved; one that is being erased is counted.
func (r *pass) gone(ctx context.Context, t Tenant) (bool, error) {
	var moved, erased bool
	err := r.fleet.read(ctx, func(db pg.DBTX) error {
		now, err := r.fleet.q.FleetTenant(ctx, db, t.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			erased = true
			return nil
		}
		moved, erased = now.Moving || now.Placement != t.Placement, now.Erasing
		return err
	})
	switch {
	case erased:
		r.passBy()
	case moved:
		r.tell(Outcome{Tenant: t, Moving: true})
	}
	return moved || erased, err
}

// upgrade brings a tenant to the newest version and keeps that it has. Where the
// registry is in the same database, that is one transaction. Elsewhere the
// registry follows: until it has, the tenant is taken for one that is behind, and
// the next run finds that nothing is left to do.
func (r *pass) upgrade(ctx context.Context, t Tenant, done func(db pg.DBTX) error) ([]string, error) {
	worker, known := r.workers[t.Placement]
	if !known {
		return nil, tenancy.ErrUnplaced
	}
	if t.Placement == tenancy.MainPlacement {
		return worker.UpgradeTenant(ctx, t.Schema, func(tx uow.Tx) error { return done(pg.DB(tx)) })
	}
	applied, err := worker.UpgradeTenant(ctx, t.Schema, nil)
	if err != nil {
		return applied, err
	}
	return applied, r.fleet.write(ctx, func(db pg.DBTX) error {
		if err := r.fleet.q.SetSchemaVersion(ctx, db, r.report.Target, t.Schema); err != nil {
			return err
		}
		return done(db)
	})
}

// passBy counts a tenant that is not there any more.
func (r *pass) passBy() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Left--
	r.report.Erased++
}

func (r *pass) tell(o Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Left--
	switch {
	case o.Moving:
		r.report.Moving++
	case o.Err != nil:
		r.report.Failed++
	default:
		r.report.Done++
	}
	if r.o.Told != nil {
		r.o.Told(o)
	}
}
