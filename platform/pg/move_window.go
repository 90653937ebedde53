package pg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/insulahq/insula/platform/pg/migrate"
)

// errNotNow is why a window was given up that may be tried again.
var errNotNow = errors.New("not now")

// errWindowOver ends what takes longer than writers are to wait.
var errWindowOver = errors.New("the window took too long")

const (
	// patientWait is the time that every patientAttempt-th attempt waits for a
	// table: longer than deadlock_timeout, after which PostgreSQL stops a vacuum
	// of its own that is in the way.
	patientWait    = 2 * time.Second
	patientAttempt = 4
	// windowWorkers is how many tables are looked through at once while writers
	// wait.
	windowWorkers = 3
	// switchTimeout bounds what is done once there is no way back, also when the
	// process is asked to stop.
	switchTimeout = 30 * time.Second
)

// switchOver tries the window until it succeeds. Between attempts writers go
// on, and what they write is brought over.
func (r *moveRun) switchOver(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		r.told.Attempts = attempt
		err := r.window(ctx, attempt)
		if err == nil || !errors.Is(err, errNotNow) || ctx.Err() != nil || r.held.lost() {
			return err
		}
		if attempt == r.options.Attempts {
			return fmt.Errorf("%w: %w", ErrMoveBusy, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(r.options.LockWait): // writers catch up, too
		}
		if err := errors.Join(r.takeOff(ctx), r.count(ctx)); err != nil {
			return err
		}
		if err := r.settle(ctx); err != nil {
			return err
		}
	}
}

// window is the time in which writers wait: a transaction at the source that
// keeps them from its tables, brings over what is missing and gives the tenant
// up. Until its commit the source loses nothing by a failure.
func (r *moveRun) window(ctx context.Context, attempt int) error {
	wait := r.options.LockWait
	if attempt%patientAttempt == 0 {
		wait = patientWait
	}
	if err := r.holdOff(ctx, r.options.Window+wait); err != nil {
		return err
	}
	tx, err := r.held.source.Begin(ctx)
	if err != nil {
		return err
	}
	defer r.letGo(ctx, tx)
	owner := &ownerTx{tx: tx}
	asked := time.Now()
	err = r.lock(ctx, tx, wait)
	held := time.Now()
	r.told.Waited += held.Sub(asked)
	if err != nil {
		return err
	}
	if err := r.finish(ctx, tx, owner); err != nil {
		return err
	}
	// From here on nobody may stop half-way.
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), switchTimeout)
	defer done()
	if err := r.commit(ctx, tx); err != nil {
		return err
	}
	owner.committed(ctx)
	r.state.Step = MoveSwitched
	return r.open(ctx, &held)
}

// writersWait has a database keep the writers of a schema out for a time.
const writersWait = `INSERT INTO control.moving AS m (tenant_id, writers_wait)
SELECT t.id, now() + $2 * interval '1 millisecond' FROM control.tenants t WHERE t.schema_name = $1
ON CONFLICT (tenant_id) DO UPDATE SET writers_wait = excluded.writers_wait`

// holdOff has writers wait outside, where they keep no connection from others.
// Those who are in already wait for the tables. When this process is gone they
// are let in by themselves.
func (r *moveRun) holdOff(ctx context.Context, d time.Duration) error {
	_, err := r.from.m.pool.Exec(ctx, writersWait, r.state.Schema, d.Milliseconds())
	return err
}

// letGo lets the writers go on, if the tenant has not been given up.
func (r *moveRun) letGo(ctx context.Context, tx pgx.Tx) {
	if r.state.Step != MoveCopying {
		return
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer done()
	// Both come about by themselves when a connection breaks.
	_ = tx.Rollback(ctx)
	_ = r.holdOff(ctx, 0)
}

// commit gives the tenant up. Whether a commit whose answer was lost took place
// the source knows.
func (r *moveRun) commit(ctx context.Context, tx pgx.Tx) error {
	err := tx.Commit(ctx)
	if err == nil {
		return nil
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), switchTimeout)
	defer done()
	if left, lerr := r.Switched(ctx, r.state.Schema); lerr == nil && left {
		return nil
	}
	return fmt.Errorf("switch: %w", err)
}

// lock keeps writers from all tables, when those that are at it have ended;
// readers go on. Whoever writes to a table that is locked already while a table
// that he has written to is waited for would wait for ever: so nothing is waited
// for long, and the table that was not to be had is the first to be waited for
// next time, with no other held.
func (r *moveRun) lock(ctx context.Context, tx pgx.Tx, wait time.Duration) error {
	r.progress(MoveProgress{Stage: MoveLocks, Round: r.told.Attempts})
	// The server ends what a process that hangs has begun.
	limit := milliseconds(r.options.Window + wait)
	bounds := []string{
		"SET LOCAL statement_timeout = " + limit,
		"SET LOCAL idle_in_transaction_session_timeout = " + limit,
		"SET LOCAL synchronous_commit = on",
	}
	if err := execAll(ctx, tx, bounds); err != nil {
		return err
	}
	until := time.Now().Add(wait)
	for i, name := range r.order {
		_, err := migrate.Exec(ctx, tx, []string{
			"SET LOCAL lock_timeout = " + milliseconds(max(time.Until(until), time.Millisecond)),
			"LOCK TABLE " + pgx.Identifier{r.state.Schema, name}.Sanitize() + " IN SHARE ROW EXCLUSIVE MODE",
		})
		if err != nil {
			r.order = slices.Insert(slices.Delete(r.order, i, i+1), 0, name)
			return notNow(fmt.Errorf("lock table %s: %w", name, err))
		}
	}
	return nil
}

// notNow marks what is only in the way for a while.
func notNow(err error) error {
	var pe *pgconn.PgError
	if repeatable(err) || errors.As(err, &pe) && pe.Code == cancelled { // the server has ended it, at the time we gave
		return fmt.Errorf("%w: %w", errNotNow, err)
	}
	return err
}

// finish does all that writers wait for, up to the commit, as long as they may.
// On the connections with the locks the server ends what takes too long: ending
// it from here would end the connections.
func (r *moveRun) finish(ctx context.Context, tx pgx.Tx, owner *ownerTx) error {
	r.progress(MoveProgress{Stage: MoveInWindow})
	inside, done := context.WithTimeoutCause(ctx, r.options.Window, errWindowOver)
	defer done()
	status, err := r.from.m.tenant.Status(ctx, tx, r.state.Schema)
	if err != nil {
		return notNow(err)
	}
	if status.Current != text(r.state.Version) {
		return ErrMoveOutdated
	}
	if err := r.last(inside); err != nil {
		if cause := context.Cause(inside); errors.Is(cause, errWindowOver) {
			return fmt.Errorf("%w: %w: %w", errNotNow, cause, err)
		}
		return notNow(err)
	}
	r.progress(MoveProgress{Stage: MoveSwitches})
	if err := r.giveUp(ctx, tx, owner); err != nil {
		return notNow(err)
	}
	if err := r.arrive(ctx); err != nil {
		return notNow(err)
	}
	if inside.Err() != nil {
		return fmt.Errorf("%w: %w", errNotNow, context.Cause(inside))
	}
	return nil
}

// giveUp puts the schema away, with a word where it has gone.
func (r *moveRun) giveUp(ctx context.Context, tx pgx.Tx, owner *ownerTx) error {
	to, err := r.identity(ctx)
	if err != nil {
		return err
	}
	moved := ident(movedName(r.state.Schema))
	err = execAll(ctx, tx, []string{
		"SET LOCAL lock_timeout = " + milliseconds(r.options.LockWait),
		"ALTER SCHEMA " + ident(r.state.Schema) + " RENAME TO " + moved,
		"COMMENT ON SCHEMA " + moved + " IS '" + to + "'",
	})
	if err != nil {
		return err
	}
	if err := r.hooks.Leave(ctx, owner); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	return nil
}

// last catches up for the last time, with several tables at once: nobody writes
// to any, so what is read on other connections is of the same state.
func (r *moveRun) last(ctx context.Context) error {
	largest := slices.SortedFunc(slices.Values(r.tables), func(a, b *movedTable) int { return cmp.Compare(b.bytes, a.bytes) })
	tables, ctx := errgroup.WithContext(ctx)
	tables.SetLimit(windowWorkers)
	for _, t := range largest {
		tables.Go(func() error {
			// Whoever waits for us with a stronger lock, we would wait for.
			bound := "SET LOCAL lock_timeout = " + milliseconds(r.options.LockWait)
			return pgx.BeginFunc(ctx, r.from.m.pool, func(src pgx.Tx) error {
				if err := execAll(ctx, src, []string{bound}); err != nil {
					return err
				}
				if _, err := r.catchUp(ctx, src.Conn(), t); err != nil {
					return fmt.Errorf("catch up with table %s: %w", t.Name, err)
				}
				return nil
			})
		})
	}
	return tables.Wait()
}

// arrive makes the target ready, to be opened.
func (r *moveRun) arrive(ctx context.Context) error {
	return owned(ctx, r.held.target, func(tx pgx.Tx, owner *ownerTx) error {
		statements := []string{
			"SET LOCAL synchronous_commit = on",
			"SET LOCAL lock_timeout = " + milliseconds(r.options.LockWait),
			"SET LOCAL statement_timeout = " + milliseconds(r.options.Window),
		}
		for _, k := range r.keys {
			statements = append(statements, k.back(r.state.Schema))
		}
		if err := execAll(ctx, tx, statements); err != nil {
			return err
		}
		// An earlier move may have left it there.
		if _, err := tx.Exec(ctx, writersWait, r.state.Schema, 0); err != nil {
			return err
		}
		if r.hooks.Arrive == nil {
			return nil
		}
		if err := r.hooks.Arrive(ctx, owner); err != nil {
			return fmt.Errorf("arrive: %w", err)
		}
		return nil
	})
}
