package pg

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// unit implements uow.Unit on a pool. Without a tenant it works on the
// control schema with the application's own rights.
type unit struct {
	pool      *Pool   // nil without a tenant
	shards    *shards // of the placement; nil for one that is not known here
	placement string  // where the tenant is believed to be
	tenant    *uuid.UUID
	roles     Roles
	ahead     bool  // it reads before anybody asks, and says nothing of who is busy
	floor     int64 // the oldest version of the tenant's schema that is served
	busy      atomic.Bool
}

// writeAttempts is how often a unit of work runs at most when the database
// asks for a repetition (serialisation failure, deadlock, lock timeout).
const writeAttempts = 3

func (u *unit) Read(ctx context.Context, fn func(uow.Tx) error) error {
	return u.read(ctx, &readTx{unit: u, opening: pgdb.OpenRead, listing: pgdb.OpenList}, fn)
}

func (u *unit) Look(ctx context.Context, fn func(uow.Tx) error) error {
	return u.read(ctx, &readTx{unit: u, opening: pgdb.OpenLook, listing: pgdb.OpenLook}, fn)
}

func (u *unit) read(ctx context.Context, tx *readTx, fn func(uow.Tx) error) error {
	if err := u.enter(); err != nil {
		return err
	}
	defer u.busy.Store(false)
	defer tx.end()
	if err := fn(tx); err != nil {
		return Translate(givenUp(ctx, err), nil, nil)
	}
	tx.end()
	tx.committed(ctx)
	return nil
}

// enter keeps units of work from nesting, and from having no database.
func (u *unit) enter() error {
	if u.shards == nil {
		return tenancy.ErrUnplaced
	}
	if !u.busy.CompareAndSwap(false, true) {
		return uow.ErrNested
	}
	return nil
}

func (u *unit) Write(ctx context.Context, fn func(uow.Tx) error) error {
	return u.write(ctx, pgdb.OpenWrite, fn)
}

func (u *unit) Record(ctx context.Context, fn func(uow.Tx) error) error {
	return u.write(ctx, pgdb.OpenRecord, fn)
}

func (u *unit) write(ctx context.Context, opening string, fn func(uow.Tx) error) error {
	if err := u.enter(); err != nil {
		return err
	}
	defer u.busy.Store(false)
	search := search{unit: u, opening: opening}
	for attempt := 1; ; {
		err := u.attempt(ctx, opening, fn)
		if err == nil {
			return nil
		}
		if err = search.after(ctx, err); err == nil {
			continue // of what was begun nothing is left
		}
		if attempt == writeAttempts || !repeatable(err) {
			return Translate(givenUp(ctx, err), nil, nil)
		}
		attempt++
	}
}

func (u *unit) attempt(ctx context.Context, opening string, fn func(uow.Tx) error) error {
	tx := &writeTx{unit: u, opening: opening}
	defer tx.rollback(ctx) // does nothing after a commit
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.commit(ctx); err != nil {
		return err
	}
	tx.committed(ctx)
	return nil
}

// opening are the arguments of the statement that opens the unit within the
// share of its tenant.
func (u *unit) opening(s Share) []any {
	return []any{u.roles == RolePerTenant, milliseconds(s.Statement), milliseconds(s.Lock), *u.tenant, u.floor, u.placement}
}

// quickOpening is the statement that opens a read of one row, with its
// arguments.
func (u *unit) quickOpening(s Share) (sql string, args []any) {
	if s.Statement > 0 || s.Lock > 0 {
		return pgdb.OpenRead, u.opening(s)
	}
	return pgdb.OpenUnlimited, []any{u.roles == RolePerTenant, *u.tenant, u.floor, u.placement}
}

// milliseconds is a time as PostgreSQL takes it; 0 is none.
func milliseconds(d time.Duration) string {
	if d > 0 {
		d = max(d, time.Millisecond)
	}
	return strconv.FormatInt(d.Milliseconds(), 10)
}

// errClosed says that the tenant did not let the unit of work in.
var errClosed = errors.New("the tenant is not open")
