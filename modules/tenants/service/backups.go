package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
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
	desk
	run    *op.Runner
	houses domain.Houses
}

// NewBackups makes the service of one request.
func NewBackups(run *op.Runner, repo domain.Repository, b domain.Backups, h domain.Houses, jobs *op.Jobs, c clock.Clock, ids id.Source) *Backups {
	return &Backups{desk: desk{repo: repo, backups: b, jobs: jobs, clock: c, ids: ids}, run: run, houses: h}
}

// Begun is long work that has been accepted: Operation tells how far it is.
type Begun struct {
	Operation domain.Operation
	Backup    domain.Backup // when one is made
	Tenant    domain.Tenant // when one is made or put back
}

// Create begins to back up a tenant.
func (s *Backups) Create(ctx context.Context, tenant uuid.UUID) (Begun, error) {
	return op.Do(ctx, s.run, CreateBackup.On(tenant.String()), func(tx uow.Tx) (Begun, error) {
		t, err := s.claim(ctx, tx, tenant, domain.CopyOut)
		if err != nil {
			return Begun{}, err
		}
		s.witness(tx, t.Tenant, CreateBackup, s.run.Caller())
		return s.back(ctx, tx, t, domain.ByRequest)
	})
}

// Get shows a backup of a tenant.
func (s *Backups) Get(ctx context.Context, tenant, backup uuid.UUID) (domain.Backup, error) {
	return op.Do(ctx, s.run, GetBackup.On(backup.String()), func(tx uow.Tx) (domain.Backup, error) {
		return s.backups.Backup(ctx, tx, tenant, backup)
	})
}

// List pages through the backups of a tenant, newest first: of one that is
// deleted, too.
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
		return s.doom(ctx, tx, tenant, backup, version)
	})
}
