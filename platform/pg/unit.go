package pg

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// unit implements uow.Unit on a pool. Without a tenant it works on the
// control schema with the application's own rights.
type unit struct {
	shards *shards
	tenant *uuid.UUID
	roles  Roles
	floor  int64 // the oldest version of the tenant's schema that is served
	busy   atomic.Bool
}

// writeAttempts is how often a unit of work runs at most when the database
// asks for a repetition (serialisation failure, deadlock, lock timeout).
const writeAttempts = 3

func (u *unit) Read(ctx context.Context, fn func(uow.Tx) error) error {
	if !u.busy.CompareAndSwap(false, true) {
		return uow.ErrNested
	}
	defer u.busy.Store(false)
	tx := &readTx{unit: u}
	defer tx.end()
	if err := fn(tx); err != nil {
		return u.explain(ctx, err)
	}
	tx.end()
	tx.committed(ctx)
	return nil
}

func (u *unit) Write(ctx context.Context, fn func(uow.Tx) error) error {
	return u.write(ctx, pgdb.OpenWrite, fn)
}

func (u *unit) Record(ctx context.Context, fn func(uow.Tx) error) error {
	return u.write(ctx, pgdb.OpenRecord, fn)
}

func (u *unit) write(ctx context.Context, opening string, fn func(uow.Tx) error) error {
	if !u.busy.CompareAndSwap(false, true) {
		return uow.ErrNested
	}
	defer u.busy.Store(false)
	for attempt := 1; ; attempt++ {
		err := u.attempt(ctx, opening, fn)
		if err == nil || attempt == writeAttempts || !repeatable(err) && !replaced(err) {
			return u.explain(ctx, err)
		}
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
	return []any{u.roles == RolePerTenant, milliseconds(s.Statement), milliseconds(s.Lock), *u.tenant, u.floor}
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

// explain makes a declared error of what ended a unit of work. Why a tenant
// did not open is asked only then: it is rare enough for a query of its own.
func (u *unit) explain(ctx context.Context, err error) error {
	if _, declared := errs.As(err); declared || err == nil {
		return err
	}
	if !errors.Is(err, errClosed) {
		return Translate(err, nil, nil)
	}
	row, qerr := u.status(ctx)
	switch {
	case errors.Is(qerr, pgx.ErrNoRows):
		return tenancy.ErrUnknown
	case qerr != nil:
		return Translate(qerr, nil, nil)
	case row.SchemaVersion < u.floor && (row.Status == string(tenancy.Active) || row.Status == string(tenancy.Suspended)):
		return tenancy.ErrOutdated
	case row.Status == string(tenancy.Suspended):
		return tenancy.ErrSuspended
	case row.Status == string(tenancy.Active), row.Status == string(tenancy.Provisioning):
		return errs.ErrUnavailable.Because(err) // it opened, or will, just now
	}
	return tenancy.ErrUnknown
}

func (u *unit) status(ctx context.Context) (pgdb.TenantStatusRow, error) {
	c, err := u.shards.acquire(ctx, nil)
	if err != nil {
		return pgdb.TenantStatusRow{}, err
	}
	defer c.Release()
	return pgdb.New().TenantStatus(ctx, c, *u.tenant)
}
