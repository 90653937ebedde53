package infra

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Copies keeps the state of the work that copies tenants with the migrator's
// rights, for jobs. Each method is one transaction, after which the work goes
// on from there however the process ends.
type Copies struct {
	control OwnerControl
	mirror  *Mirror
	repo    *Repository
	backups *Backups
	clock   clock.Clock
	q       *tenantsdb.Queries
}

// NewCopies makes the state of a process.
func NewCopies(control OwnerControl, m *Mirror, repo *Repository, b *Backups, c clock.Clock) *Copies {
	return &Copies{control: control, mirror: m, repo: repo, backups: b, clock: c, q: tenantsdb.New()}
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
			Source: row.SourceID, Target: row.TargetID, Schema: row.SchemaName, OldSchema: row.OldSchema,
			From: row.FromPlacement, To: row.ToPlacement, Attempts: int(row.Attempts), Begun: row.BegunAt,
		}
		return err
	})
	return c, err
}

// MoveOf finds the move of a tenant that is not over; domain.ErrNoMove.
func (l *Copies) MoveOf(ctx context.Context, tenant uuid.UUID) (c domain.Copy, err error) {
	var operation uuid.UUID
	err = l.read(ctx, func(db pg.DBTX) error {
		operation, err = l.q.OpenMoveOf(ctx, db, tenant)
		return pg.Translate(err, domain.ErrNoMove, nil)
	})
	if err != nil {
		return c, err
	}
	return l.Copy(ctx, operation)
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

// Scheduled lists the backups of a tenant that the schedule made, newest first.
func (l *Copies) Scheduled(ctx context.Context, tenant uuid.UUID) (made []domain.Backup, err error) {
	err = l.control().Read(ctx, func(tx uow.Tx) (err error) { made, err = l.backups.Scheduled(ctx, tx, tenant); return err })
	return made, err
}

// Tenant reads a registry entry; domain.ErrNotFound.
func (l *Copies) Tenant(ctx context.Context, id uuid.UUID) (t domain.Tenant, err error) {
	err = l.control().Read(ctx, func(tx uow.Tx) (err error) { t, err = l.repo.Get(ctx, tx, id); return err })
	return t, err
}

// Begin takes the work over from whoever had it, and returns it as this
// attempt's; domain.ErrOvertaken when somebody else has since c was read.
func (l *Copies) Begin(ctx context.Context, c domain.Copy) (domain.Copy, error) {
	err := l.write(ctx, func(db pg.DBTX) error {
		n, err := l.q.BeginAttempt(ctx, db, c.Operation, string(c.Step), int32(c.Attempts))
		if errors.Is(err, pgx.ErrNoRows) {
			return domain.ErrOvertaken
		}
		c.Attempts = int(n)
		return err
	})
	return c, err
}

// Aim names what the attempt makes, an archive or a schema, before there is
// anything of it.
func (l *Copies) Aim(ctx context.Context, c domain.Copy, id uuid.UUID) (domain.Copy, error) {
	err := l.held(ctx, c, domain.Copying, func(db pg.DBTX) error {
		if c.Kind == domain.CopyOut {
			return l.q.AimBackup(ctx, db, id, *c.Backup)
		}
		c.Schema = domain.NewSchema(id)
		return l.q.AimCopy(ctx, db, c.Schema, c.Operation)
	})
	return c, err
}

// Advance tells clients how far the work is, in per cent.
func (l *Copies) Advance(ctx context.Context, operation uuid.UUID, progress int) error {
	return l.write(ctx, func(db pg.DBTX) error {
		return l.q.AdvanceOperation(ctx, db, int32(progress), l.clock.Now(), operation)
	})
}

func (l *Copies) read(ctx context.Context, fn func(db pg.DBTX) error) error {
	return l.control().Read(ctx, func(tx uow.Tx) error { return pg.Translate(fn(pg.DB(tx)), nil, nil) })
}

func (l *Copies) write(ctx context.Context, fn func(db pg.DBTX) error) error {
	return l.control().Write(ctx, func(tx uow.Tx) error { return pg.Translate(fn(pg.DB(tx)), nil, nil) })
}
