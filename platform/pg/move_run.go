package pg

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/insulahq/insula/platform/pg/migrate"
	"github.com/insulahq/insula/platform/uow"
)

// moveRun is one call of Move.
type moveRun struct {
	*Mover
	hooks  MoveHooks
	state  Moving
	told   Moved
	tables []*movedTable
	keys   []foreignKey
	order  []string // in which the tables are locked
	seed   maphash.Seed
	sent   atomic.Int64  // bytes
	target *pgxpool.Conn // holds the lock of this move

	mu   sync.Mutex // guards what progress tells
	over int64      // bytes of the tables that are over there
	size int64      // of all
}

// Move brings a tenant over and returns when it works at the target, with the
// step MoveCleaning kept. It goes on from wherever state says the move has come
// to; that the source has been given up it finds out by itself. After an error
// it may be called again with what was kept last, or, before the switch, Undo.
func (m *Mover) Move(ctx context.Context, state Moving, hooks MoveHooks) (Moved, error) {
	r := &moveRun{Mover: m, hooks: hooks, state: state, seed: maphash.MakeSeed()}
	r.state.Copied = slices.Clone(state.Copied)
	err := m.alone(ctx, state.Schema, func(target *pgxpool.Conn) error {
		r.target = target
		return r.run(ctx)
	})
	r.told.Bytes = r.sent.Load()
	if err != nil {
		return r.told, fmt.Errorf("move schema %s: %w", state.Schema, err)
	}
	return r.told, nil
}

func (r *moveRun) run(ctx context.Context) error {
	if r.state.Step == MoveCleaning || r.state.Step == MoveOver {
		return nil
	}
	if r.state.Step != MoveSwitched {
		left, err := r.Switched(ctx, r.state.Schema)
		if err != nil {
			return err
		}
		if left {
			r.state.Step = MoveSwitched
		}
	}
	if r.state.Step == MoveSwitched {
		return r.open(ctx, nil)
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	start := time.Now()
	if err := r.copy(ctx); err != nil {
		return err
	}
	r.told.Copy = time.Since(start)
	if err := r.count(ctx); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	if _, err := r.round(ctx, r.compare); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	return r.switchOver(ctx)
}

// begin finds or makes the target, and takes off what keeps rows from coming
// in as they come.
func (r *moveRun) begin(ctx context.Context) error {
	if err := r.apart(ctx); err != nil {
		return err
	}
	going, err := r.goingOn(ctx)
	if err != nil {
		return err
	}
	if !going {
		if err := r.prepare(ctx); err != nil {
			return err
		}
	}
	if r.tables, err = movedTables(ctx, r.from.m.pool, r.state.Schema); err != nil {
		return err
	}
	if r.keys, err = foreignKeysIn(ctx, r.from.m.pool, r.state.Schema); err != nil {
		return err
	}
	r.order = []string{migrate.RevisionTable} // so that nobody brings the schema to another version, and for Switched
	for _, t := range r.tables {
		r.order = append(r.order, t.Name)
		r.size += t.bytes
		if slices.Contains(r.state.Copied, t.Name) {
			r.over += t.bytes
		}
	}
	return r.takeOff(ctx)
}

// goingOn reports whether an earlier attempt has left a target to go on with.
func (r *moveRun) goingOn(ctx context.Context) (bool, error) {
	if r.state.Step != MoveCopying {
		return false, nil
	}
	status, err := r.to.m.tenant.Status(ctx, r.to.m.pool, r.state.Schema)
	if err != nil {
		return false, err
	}
	there, err := number(status.Current)
	return there != 0 && there == r.state.Version, err
}

// prepare makes the target, empty. ErrDrift refuses a source whose rows might
// not go in.
func (r *moveRun) prepare(ctx context.Context) error {
	r.progress(MoveProgress{Stage: MovePrepares})
	r.state = Moving{Schema: r.state.Schema, Step: MoveCopying}
	err := r.from.Out(ctx, r.state.Schema, func(s *Snapshot, _ uow.Tx) error {
		r.state.Version = s.Version
		return nil
	})
	if err != nil {
		return err
	}
	for _, c := range []*Carrier{r.from, r.to} { // what an earlier move may have left
		if err := c.m.Drop(ctx, movedName(r.state.Schema), nil); err != nil {
			return err
		}
	}
	if _, err := r.to.Prepare(ctx, r.state.Schema, r.state.Version); err != nil {
		return err
	}
	err = owned(ctx, r.to.m.pool, func(tx pgx.Tx, _ *ownerTx) error {
		return grantTenant(ctx, tx, r.state.Schema, r.to.m.roles)
	})
	if err != nil {
		return err
	}
	return r.keep(ctx)
}

// takeOff takes the foreign keys off at the target, also those that an attempt
// has put on which came no further.
func (r *moveRun) takeOff(ctx context.Context) error {
	return owned(ctx, r.to.m.pool, func(tx pgx.Tx, _ *ownerTx) error {
		there, err := foreignKeysIn(ctx, tx, r.state.Schema)
		if err != nil {
			return err
		}
		var statements []string
		for _, k := range there {
			statements = append(statements, k.off(r.state.Schema))
		}
		return execAll(ctx, tx, statements)
	})
}

// count counts the rows that the target has.
func (r *moveRun) count(ctx context.Context) (err error) {
	for _, t := range r.tables {
		if t.have, err = t.count(ctx, r.to.m.pool); err != nil {
			return err
		}
	}
	return nil
}

// apart refuses two databases that are one: Prepare and Undo would remove what
// is to be moved. Whatever the two are called, a lock that one session holds
// another one in the same database does not get.
func (m *Mover) apart(ctx context.Context) error {
	return pgx.BeginFunc(ctx, m.from.m.pool, func(from pgx.Tx) error {
		var key int64
		const take = "SELECT k, pg_advisory_xact_lock(k) FROM (SELECT (random() * 9e18)::bigint AS k) AS one"
		if err := from.QueryRow(ctx, take).Scan(&key, nil); err != nil {
			return err
		}
		return pgx.BeginFunc(ctx, m.to.m.pool, func(to pgx.Tx) error {
			var free bool
			if err := to.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock($1)", key).Scan(&free); err != nil {
				return err
			}
			if !free {
				return ErrSameDatabase
			}
			return nil
		})
	})
}

// movedName is what the schema is called at the source once it has been given
// up.
func movedName(schema string) string { return "moved_" + schema }

// Switched reports whether the source has given the schema up. It waits for a
// switch that is under way, as one is whose process has just been killed: when
// it says no, none will be committed any more but by a Move that begins later.
func (m *Mover) Switched(ctx context.Context, schema string) (bool, error) {
	left, err := m.switched(ctx, schema)
	if err != nil {
		return false, fmt.Errorf("look for schema %s: %w", schema, err)
	}
	return left, nil
}

func (m *Mover) switched(ctx context.Context, schema string) (bool, error) {
	err := pgx.BeginFunc(ctx, m.from.m.pool, func(tx pgx.Tx) error {
		// The window locks this table, too.
		history := pgx.Identifier{schema, migrate.RevisionTable}.Sanitize()
		return execAll(ctx, tx, []string{"SET LOCAL lock_timeout = '60s'", "LOCK TABLE " + history + " IN ROW EXCLUSIVE MODE"})
	})
	if !replaced(err) {
		return false, err
	}
	var left bool
	const sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)"
	if err := m.from.m.pool.QueryRow(ctx, sql, movedName(schema)).Scan(&left); err != nil {
		return false, err
	}
	if !left {
		return false, ErrNotThere
	}
	return true, nil
}

// alone runs fn while no other process moves the schema to the same target, or
// returns ErrTaken. The target is made ready on the connection that holds the
// lock, so that whoever has lost the lock cannot switch.
func (m *Mover) alone(ctx context.Context, schema string, fn func(target *pgxpool.Conn) error) error {
	target, err := m.to.m.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer target.Release()
	id := uuid.NewSHA1(uuid.Nil, []byte("move of "+schema))
	var got bool
	if err := target.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", aloneKey(id)).Scan(&got); err != nil {
		return err
	}
	if !got {
		return ErrTaken
	}
	defer free(ctx, target, id)
	return fn(target)
}

func (r *moveRun) keep(ctx context.Context) error {
	kept := r.state
	kept.Copied = slices.Clone(r.state.Copied)
	if err := r.hooks.Keep(ctx, kept); err != nil {
		return fmt.Errorf("keep how far the move has come: %w", err)
	}
	return nil
}

func (r *moveRun) progress(p MoveProgress) {
	if r.hooks.Progress == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p.Bytes, p.Of = r.over+p.Bytes, r.size
	if p.Round == 0 {
		p.Round = r.told.Rounds
	}
	r.hooks.Progress(p)
}

// copied counts bytes of a table on their way. What a table takes on the disk
// only resembles what its rows take on the wire.
func (r *moveRun) copied(t *movedTable, soFar int64) {
	r.progress(MoveProgress{Stage: MoveCopies, Table: t.Name, Bytes: min(soFar, t.bytes)})
}

// overThere says that a table has been copied.
func (r *moveRun) overThere(t *movedTable) {
	r.mu.Lock()
	r.over += t.bytes
	r.mu.Unlock()
	r.copied(t, 0)
}

// open has the tenant let in at the target. There is no way back any more, so
// it tries for a while before it leaves that to the next process.
func (r *moveRun) open(ctx context.Context, held *time.Time) error {
	r.progress(MoveProgress{Stage: MoveOpens})
	err := r.tryOpen(ctx)
	if err != nil {
		return errors.Join(fmt.Errorf("open: %w", err), r.keep(ctx))
	}
	if held != nil {
		r.told.Window = time.Since(*held)
		r.state.Window = r.told.Window
	}
	r.state.Step = MoveCleaning
	return r.keep(ctx)
}

// The pauses of tryOpen: the tenant is closed meanwhile.
const (
	openAttempts = 8
	openPause    = 25 * time.Millisecond
	maxOpenPause = time.Second
)

func (r *moveRun) tryOpen(ctx context.Context) error {
	pause := openPause
	for attempt := 1; ; attempt++ {
		err := r.hooks.Open(ctx)
		if err == nil || attempt == openAttempts {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		pause = min(2*pause, maxOpenPause)
	}
}
