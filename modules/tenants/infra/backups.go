package infra

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

var copyRules = pg.Rules{"backups_running_key": domain.ErrBusy, "copies_target_key": domain.ErrBusy}

// Backups implements domain.Backups.
type Backups struct{ q *tenantsdb.Queries }

// NewBackups makes a repository.
func NewBackups() *Backups { return &Backups{q: tenantsdb.New()} }

// InsertBackup implements domain.Backups.
func (r *Backups) InsertBackup(ctx context.Context, tx uow.Tx, b domain.Backup) error {
	return pg.Translate(r.q.InsertBackup(ctx, pg.DB(tx), tenantsdb.InsertBackupParams{
		ID: b.ID, TenantID: b.TenantID, Slug: b.Slug, Name: b.Name, AdminEmail: b.AdminEmail, Status: string(b.Status),
		Reason: string(b.Reason), ObjectID: b.Object, Version: b.Version, CreatedAt: b.CreatedAt, UpdatedAt: b.UpdatedAt,
	}), nil, copyRules)
}

// Backup implements domain.Backups.
func (r *Backups) Backup(ctx context.Context, tx uow.Tx, tenant, id uuid.UUID) (domain.Backup, error) {
	row, err := r.q.GetBackup(ctx, pg.DB(tx), id, tenant)
	return toBackup(row), pg.Translate(err, domain.ErrNoBackup, nil)
}

// LockBackup implements domain.Backups.
func (r *Backups) LockBackup(ctx context.Context, tx uow.Tx, tenant, id uuid.UUID) (domain.Backup, error) {
	row, err := r.q.LockBackup(ctx, pg.DB(tx), id, tenant)
	return toBackup(row), pg.Translate(err, domain.ErrNoBackup, nil)
}

// ListBackups implements domain.Backups.
func (r *Backups) ListBackups(ctx context.Context, tx uow.Tx, tenant uuid.UUID, p page.Request) (page.Page[domain.Backup], error) {
	from := p.From()
	rows, err := r.q.ListBackups(ctx, pg.DB(tx), tenantsdb.ListBackupsParams{
		TenantID: tenant, AfterAt: from.At, AfterID: from.ID, MaxItems: int32(p.Limit + 1),
	})
	if err != nil {
		return page.Page[domain.Backup]{}, pg.Translate(err, nil, nil)
	}
	return page.Cut(toBackups(rows), p.Limit, func(b domain.Backup) page.Position { return page.Position{At: b.CreatedAt, ID: b.ID} }), nil
}

// scheduledAtMost is twice as many as a tenant may keep: those that failed are
// among them.
const scheduledAtMost = 2000

// Scheduled implements domain.Backups.
func (r *Backups) Scheduled(ctx context.Context, tx uow.Tx, tenant uuid.UUID) ([]domain.Backup, error) {
	rows, err := r.q.ScheduledBackups(ctx, pg.DB(tx), tenant, scheduledAtMost)
	return toBackups(rows), pg.Translate(err, nil, nil)
}

// UpdateBackup implements domain.Backups.
func (r *Backups) UpdateBackup(ctx context.Context, tx uow.Tx, b domain.Backup) (domain.Backup, error) {
	n, err := r.q.UpdateBackup(ctx, pg.DB(tx), tenantsdb.UpdateBackupParams{
		ID: b.ID, Status: string(b.Status), UpdatedAt: b.UpdatedAt, Version: b.Version,
	})
	if err == nil && n == 0 {
		err = errs.ErrPreconditionFailed
	}
	b.Version++
	return b, pg.Translate(err, nil, nil)
}

// InsertCopy implements domain.Backups.
func (r *Backups) InsertCopy(ctx context.Context, tx uow.Tx, c domain.Copy) error {
	return pg.Translate(r.q.InsertCopy(ctx, pg.DB(tx), tenantsdb.InsertCopyParams{
		OperationID: c.Operation, Kind: string(c.Kind), Step: string(c.Step), BackupID: c.Backup, SourceID: c.Source, TargetID: c.Target,
		SchemaName: c.Schema, OldSchema: c.OldSchema, FromPlacement: c.From, ToPlacement: c.To,
	}), nil, copyRules)
}

// InUse implements domain.Backups.
func (r *Backups) InUse(ctx context.Context, tx uow.Tx, backup uuid.UUID) (bool, error) {
	used, err := r.q.BackupInUse(ctx, pg.DB(tx), backup)
	return used, pg.Translate(err, nil, nil)
}

func toBackups(rows []tenantsdb.ControlBackup) []domain.Backup {
	all := make([]domain.Backup, len(rows))
	for i, row := range rows {
		all[i] = toBackup(row)
	}
	return all
}

func toBackup(row tenantsdb.ControlBackup) domain.Backup {
	b := domain.Backup{
		ID: row.ID, TenantID: row.TenantID, Slug: row.Slug, Name: row.Name, AdminEmail: row.AdminEmail,
		Status: domain.BackupStatus(row.Status), Reason: domain.BackupReason(row.Reason), Object: row.ObjectID,
		Packed: domain.Packed{
			SchemaVersion: row.SchemaVersion, Rows: row.RowCount, Files: row.FileCount, FileBytes: row.FileBytes,
			Size: row.Size, SHA256: row.Sha256,
		},
		Version: row.Version, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	if row.SnapshotAt != nil {
		b.At = *row.SnapshotAt
	}
	return b
}
