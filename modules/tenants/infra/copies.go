package infra

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Copies keeps the state of the work that copies tenants with the migrator's
// rights, for jobs. Each method is one transaction, after which the work goes
// on from there however the process ends.
type Copies struct {
	control OwnerControl
	repo    *Repository
	clock   clock.Clock
	q       *tenantsdb.Queries
}

// NewCopies makes the state of a process.
func NewCopies(control OwnerControl, repo *Repository, c clock.Clock) *Copies {
	return &Copies{control: control, repo: repo, clock: c, q: tenantsdb.New()}
}

// Open lists the operations of copies that are not over.
func (l *Copies) Open(ctx context.Context) (ids []uuid.UUID, err error) {
	err = l.read(ctx, func(db pg.DBTX) (err error) { ids, err = l.q.OpenCopies(ctx, db); return err })
	return ids, err
}

// Doomed lists the backups that are to be removed.
func (l *Copies) Doomed(ctx context.Context) (ids []uuid.UUID, err error) {
	err = l.read(ctx, func(db pg.DBTX) (err error) { ids, err = l.q.DeletingBackups(ctx, db); return err })
	return ids, err
}

// Copy finds the work of an operation; domain.ErrNoOperation.
func (l *Copies) Copy(ctx context.Context, operation uuid.UUID) (c domain.Copy, err error) {
	err = l.read(ctx, func(db pg.DBTX) error {
		row, err := l.q.GetCopy(ctx, db, operation)
		if errors.Is(err, pgx.ErrNoRows) {
			return domain.ErrNoOperation
		}
		c = domain.Copy{
			Operation: row.OperationID, Kind: domain.CopyKind(row.Kind), Step: domain.CopyStep(row.Step), Backup: row.BackupID,
			Source: row.SourceID, Target: row.TargetID, Schema: row.SchemaName, OldSchema: row.OldSchema, Attempts: int(row.Attempts),
		}
		return err
	})
	return c, err
}

// Backup finds a backup of whichever tenant; domain.ErrNoBackup.
func (l *Copies) Backup(ctx context.Context, id uuid.UUID) (b domain.Backup, err error) {
	err = l.read(ctx, func(db pg.DBTX) error {
		row, err := l.q.FindBackup(ctx, db, id)
		b = toBackup(row)
		return pg.Translate(err, domain.ErrNoBackup, nil)
	})
	return b, err
}

// Tenant reads a registry entry; domain.ErrNotFound.
func (l *Copies) Tenant(ctx context.Context, id uuid.UUID) (t domain.Tenant, err error) {
	err = l.control().Read(ctx, func(tx uow.Tx) (err error) { t, err = l.repo.Get(ctx, tx, id); return err })
	return t, err
}

// Begin counts an attempt. The archive that it writes, if any, is object.
func (l *Copies) Begin(ctx context.Context, c domain.Copy, object uuid.UUID) error {
	return l.write(ctx, func(db pg.DBTX) error {
		if _, err := l.q.BeginAttempt(ctx, db, c.Operation); err != nil {
			return err
		}
		if c.Kind != domain.CopyOut {
			return nil
		}
		return l.q.AimBackup(ctx, db, object, *c.Backup)
	})
}

// Advance tells clients how far the work is, in per cent.
func (l *Copies) Advance(ctx context.Context, operation uuid.UUID, progress int) error {
	return l.write(ctx, func(db pg.DBTX) error {
		return l.q.AdvanceOperation(ctx, db, int32(progress), l.clock.Now(), operation)
	})
}

// Note tells clients why the last attempt failed and, when undo says so, has
// the work undone from then on. It reports whether it has: work that succeeded
// before the attempt failed stays, and so does what is left of it to do.
func (l *Copies) Note(ctx context.Context, c domain.Copy, cause error, undo bool) (undoing bool, err error) {
	e, ok := errs.As(cause)
	if !ok {
		e = errs.ErrInternal
	}
	err = l.write(ctx, func(db pg.DBTX) error {
		err := l.q.NoteOperation(ctx, db, tenantsdb.NoteOperationParams{
			ErrorCode: e.Code, ErrorDetail: e.Detail, UpdatedAt: l.clock.Now(), ID: c.Operation,
		})
		if err != nil || !undo {
			return err
		}
		n, err := l.q.UndoCopy(ctx, db, c.Operation)
		undoing = n > 0
		return err
	})
	return undoing, err
}

// Packed ends a backup that has become an archive.
func (l *Copies) Packed(ctx context.Context, c domain.Copy, p domain.Packed) error {
	return l.write(ctx, func(db pg.DBTX) error {
		n, err := l.q.CompleteBackup(ctx, db, tenantsdb.CompleteBackupParams{
			SchemaVersion: p.SchemaVersion, RowCount: p.Rows, FileCount: p.Files, FileBytes: p.FileBytes, Size: p.Size, Sha256: p.SHA256,
			SnapshotAt: &p.At, UpdatedAt: l.clock.Now(), ID: *c.Backup,
		})
		if err == nil && n == 0 {
			err = domain.ErrNoBackup
		}
		return errors.Join(err, l.over(ctx, db, c))
	})
}

// Founded ends the copy that has made a new tenant, in the transaction that
// completes its schema.
func (l *Copies) Founded(ctx context.Context, tx uow.Tx, c domain.Copy, version int64) error {
	t, err := l.repo.Lock(ctx, tx, c.Target)
	if err != nil {
		return err
	}
	t.Status, t.UpdatedAt = tenancy.Active, l.clock.Now()
	if err := l.repo.Activate(ctx, tx, t); err != nil {
		return err
	}
	db := pg.DB(tx)
	return errors.Join(l.q.SetTenantVersion(ctx, db, version, t.ID), l.over(ctx, db, c))
}

// Replaced has the registry name the new schema of a tenant, in the
// transaction that puts it in the place of the old one. domain.ErrReplaced
// says that the tenant is not as it was when the work began.
func (l *Copies) Replaced(ctx context.Context, tx uow.Tx, c domain.Copy, version int64) error {
	db := pg.DB(tx)
	n, err := l.q.ReplaceSchema(ctx, db, tenantsdb.ReplaceSchemaParams{
		SchemaName: c.Schema, SchemaVersion: version, UpdatedAt: l.clock.Now(), ID: c.Target, OldSchema: c.OldSchema,
	})
	if err != nil {
		return pg.Translate(err, nil, nil)
	}
	if n == 0 {
		return domain.ErrReplaced
	}
	return l.q.SetCopyStep(ctx, db, string(domain.Cleaning), c.Operation)
}

// Cleaned ends a copy after which nothing is left to take away.
func (l *Copies) Cleaned(ctx context.Context, c domain.Copy) error {
	return l.write(ctx, func(db pg.DBTX) error { return l.over(ctx, db, c) })
}

// Undone ends a copy that failed and has left nothing.
func (l *Copies) Undone(ctx context.Context, c domain.Copy) error {
	return l.write(ctx, func(db pg.DBTX) error {
		now := l.clock.Now()
		err := errors.Join(
			l.q.FailOperation(ctx, db, now, c.Operation),
			l.q.SetCopyStep(ctx, db, string(domain.Over), c.Operation),
		)
		if c.New() {
			err = errors.Join(err, l.q.ForgetTenant(ctx, db, c.Target))
		}
		if c.Kind == domain.CopyOut {
			err = errors.Join(err, l.q.FailBackup(ctx, db, now, *c.Backup))
		}
		return err
	})
}

// Forget ends a backup whose archive is gone.
func (l *Copies) Forget(ctx context.Context, backup uuid.UUID) error {
	return l.write(ctx, func(db pg.DBTX) error { return l.q.ForgetBackup(ctx, db, backup) })
}

func (l *Copies) over(ctx context.Context, db pg.DBTX, c domain.Copy) error {
	return errors.Join(
		l.q.SucceedOperation(ctx, db, l.clock.Now(), c.Operation),
		l.q.SetCopyStep(ctx, db, string(domain.Over), c.Operation),
	)
}

func (l *Copies) read(ctx context.Context, fn func(db pg.DBTX) error) error {
	return l.control().Read(ctx, func(tx uow.Tx) error { return pg.Translate(fn(pg.DB(tx)), nil, nil) })
}

func (l *Copies) write(ctx context.Context, fn func(db pg.DBTX) error) error {
	return l.control().Write(ctx, func(tx uow.Tx) error { return pg.Translate(fn(pg.DB(tx)), nil, nil) })
}
