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

	"github.com/jackc/pgx/v5"

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
	sent   atomic.Int64 // bytes
	held   moveLocks

	mu   sync.Mutex // guards what progress tells
	over int64      // bytes of the tables that are over there
	size int64      // of all
}

// Move brings a tenant over and returns when it works at the target, with the
// step MoveCleaning kept. It goes on from wherever state says the move has come
// to; that the source has given the tenant up it finds out by itself, and once
// that is kept, the source need not answer any more. After an error it may be
// called again with what was kept last, or, before the switch, Undo.
func (m *Mover) Move(ctx context.Context, state Moving, hooks MoveHooks) (Moved, error) {
	if state.Step == MoveCleaning || state.Step == MoveOver { // nobody is needed for that
		return Moved{Window: state.Window, Rows: state.Rows, Bytes: state.Bytes}, nil
	}
	r := &moveRun{Mover: m, hooks: hooks, state: state, seed: maphash.MakeSeed()}
	r.told.Rows = state.Rows
	r.sent.Store(state.Bytes)
	r.state.Copied = slices.Clone(state.Copied)
	alone := m.alone
	if state.Step == MoveSwitched {
		alone = m.aloneThere
	}
	err := alone(ctx, state.Schema, func(held moveLocks) error {
		r.held = held
		return r.run(ctx)
	})
	r.told.Bytes = r.sent.Load()
	if err != nil {
		return r.told, fmt.Errorf("move schema %s: %w", state.Schema, err)
	}
	return r.told, nil
}

func (r *moveRun) run(ctx context.Context) error {
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
	if there, err := number(status.Current); err != nil || there == 0 || there != r.state.Version {
		return false, err
	}
	// What was being undone may have lost some of its tables.
	made, err := tablesIn(ctx, r.to.m.pool, r.state.Schema)
	if err != nil {
		return false, err
	}
	wanted, err := tablesIn(ctx, r.from.m.pool, r.state.Schema)
	return len(made) == len(wanted), err
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
// has put on which came no further. ErrServed refuses a target that tenants use:
// the registry of the source may have been put back to a time before the move.
func (r *moveRun) takeOff(ctx context.Context) error {
	return r.fenced(ctx, r.to.m.pool, func(tx pgx.Tx) error {
		if err := r.to.m.unserved(ctx, tx, r.state.Schema); err != nil {
			return err
		}
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
	r.state.Rows, r.state.Bytes = r.told.Rows, r.sent.Load()
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
