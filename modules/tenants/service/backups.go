package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// The operations on backups, and those that make tenants of them.
var (
	CreateBackup = op.Write("tenants.backups.create", "Back up a tenant while it works.", op.Landlord, op.About("tenant"))
	ListBackups  = op.Read("tenants.backups.list", "See the backups of a tenant.", op.Landlord, op.About("tenant"))
	GetBackup    = op.Read("tenants.backups.get", "See a backup.", op.Landlord, op.About("backup"))
	FetchBackup  = op.Job("tenants.backups.fetch", "Take an archive out of the object store, at the command line.", op.About("tenant"), op.Reading)
	DeleteBackup = op.Write("tenants.backups.delete", "Remove a backup for good.", op.Landlord, op.About("backup"))
	Restore      = op.Write("tenants.restore", "Make a new tenant of a backup, or put a tenant back to one.", op.Landlord, op.About("tenant"))
	Clone        = op.Write("tenants.clone", "Make a new tenant that has what another one has.", op.Landlord, op.About("tenant"))
)

// Backups is what the landlord's users do with copies of whole tenants.
type Backups struct {
	run     *op.Runner
	repo    domain.Repository
	backups domain.Backups
	jobs    *op.Jobs
	clock   clock.Clock
	ids     id.Source
}

// NewBackups makes the service of one request.
func NewBackups(run *op.Runner, repo domain.Repository, b domain.Backups, jobs *op.Jobs, c clock.Clock, ids id.Source) *Backups {
	return &Backups{run: run, repo: repo, backups: b, jobs: jobs, clock: c, ids: ids}
}

// Begun is long work that has been accepted: Operation tells how far it is.
type Begun struct {
	Operation domain.Operation
	Backup    domain.Backup // when one is made
	Tenant    domain.Tenant // when one is made or put back
}

// Create begins to back up a tenant.
func (s *Backups) Create(ctx context.Context, tenant uuid.UUID, reason domain.BackupReason) (Begun, error) {
	return op.Do(ctx, s.run, CreateBackup.On(tenant.String()), func(tx uow.Tx) (Begun, error) {
		t, err := s.claim(ctx, tx, tenant, domain.CopyOut)
		if err != nil {
			return Begun{}, err
		}
		b, err := domain.NewBackup(s.ids.New(), s.ids.New(), t, reason, s.clock.Now())
		if err != nil {
			return Begun{}, err
		}
		tx.Trail().Changed(nil, b.View())
		if err := s.backups.InsertBackup(ctx, tx, b); err != nil {
			return Begun{}, err
		}
		work, err := s.begin(ctx, tx, domain.Backing(s.ids.New(), b))
		s.witness(tx, t.Tenant, CreateBackup)
		return Begun{Operation: work, Backup: b}, err
	})
}

// claim locks a tenant for what is to become of its rows, which must go
// together with what is under way.
func (s *Backups) claim(ctx context.Context, tx uow.Tx, tenant uuid.UUID, k domain.CopyKind) (domain.Tenant, error) {
	t, err := s.repo.Lock(ctx, tx, tenant)
	if err != nil {
		return t, err
	}
	tx.Trail().On("tenant", t.ID.String(), t.Slug)
	others, err := s.repo.Copying(ctx, tx, tenant)
	if err != nil {
		return t, err
	}
	return t, k.Beside(others)
}

// begin adds a long operation and what it has to do.
func (s *Backups) begin(ctx context.Context, tx uow.Tx, c domain.Copy) (domain.Operation, error) {
	now := s.clock.Now()
	work := domain.Operation{
		ID: c.Operation, Kind: c.Kind.OperationKind(), TenantID: c.Target, Status: domain.Running, CreatedAt: now, UpdatedAt: now,
	}
	if err := s.backups.InsertCopy(ctx, tx, c); err != nil {
		return work, err
	}
	return work, s.repo.Begin(ctx, tx, work)
}

// witness tells a tenant's own trail what the operator does to it.
func (s *Backups) witness(tx uow.Tx, t tenancy.Tenant, d op.Def) {
	tx.AfterCommit(func(ctx context.Context) { s.jobs.Witness(ctx, t, d, s.run.Caller()) })
}

// Get shows a backup of a tenant.
func (s *Backups) Get(ctx context.Context, tenant, backup uuid.UUID) (domain.Backup, error) {
	return op.Do(ctx, s.run, GetBackup.On(backup.String()), func(tx uow.Tx) (domain.Backup, error) {
		return s.backups.Backup(ctx, tx, tenant, backup)
	})
}

// List pages through the backups of a tenant, newest first: of one that is
// gone, too.
func (s *Backups) List(ctx context.Context, tenant uuid.UUID, r page.Request) (page.Page[domain.Backup], error) {
	return op.Do(ctx, s.run, ListBackups.On(tenant.String()), func(tx uow.Tx) (page.Page[domain.Backup], error) {
		return s.backups.ListBackups(ctx, tx, tenant, r)
	})
}

// Delete begins to remove a backup; it can not be restored from then on.
// Version is the one the caller read; zero means any. It returns
// domain.ErrBusy for one that is being made and domain.ErrBackupInUse for one
// that is being restored.
func (s *Backups) Delete(ctx context.Context, tenant, backup uuid.UUID, version int64) (domain.Backup, error) {
	return op.Do(ctx, s.run, DeleteBackup.On(backup.String()), func(tx uow.Tx) (domain.Backup, error) {
		b, err := s.backups.LockBackup(ctx, tx, tenant, backup)
		if err != nil {
			return b, err
		}
		tx.Trail().On("backup", b.ID.String(), b.Slug)
		if version != 0 && version != b.Version {
			return b, errs.ErrPreconditionFailed
		}
		used, err := s.backups.InUse(ctx, tx, backup)
		if err == nil && used && b.Status != domain.BackupRunning {
			err = domain.ErrBackupInUse
		}
		if err != nil {
			return b, err
		}
		doomed, err := b.Delete(s.clock.Now())
		if err != nil {
			return b, err
		}
		tx.Trail().Changed(b.View(), doomed.View())
		return s.backups.UpdateBackup(ctx, tx, doomed)
	})
}
