package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// desk is where copies of tenants are asked for, by a person or by the
// schedule: within an operation of theirs.
type desk struct {
	repo    domain.Repository
	backups domain.Backups
	jobs    *op.Jobs
	clock   clock.Clock
	ids     id.Source
}

// claim locks a tenant for what is to become of its rows, which must go
// together with what is under way.
func (s *desk) claim(ctx context.Context, tx uow.Tx, tenant uuid.UUID, k domain.CopyKind) (domain.Tenant, error) {
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

// back begins to back up a tenant that is claimed.
func (s *desk) back(ctx context.Context, tx uow.Tx, t domain.Tenant, reason domain.BackupReason) (Begun, error) {
	b, err := domain.NewBackup(s.ids.New(), s.ids.New(), t, reason, s.clock.Now())
	if err != nil {
		return Begun{}, err
	}
	tx.Trail().Changed(nil, b.View())
	if err := s.backups.InsertBackup(ctx, tx, b); err != nil {
		return Begun{}, err
	}
	work, err := s.begin(ctx, tx, domain.Backing(s.ids.New(), b))
	return Begun{Operation: work, Backup: b}, err
}

// begin adds a long operation and what it has to do.
func (s *desk) begin(ctx context.Context, tx uow.Tx, c domain.Copy) (domain.Operation, error) {
	now := s.clock.Now()
	work := domain.Operation{
		ID: c.Operation, Kind: c.Kind.OperationKind(), TenantID: c.Target, Status: domain.Running, CreatedAt: now, UpdatedAt: now,
	}
	if err := s.backups.InsertCopy(ctx, tx, c); err != nil {
		return work, err
	}
	return work, s.repo.Begin(ctx, tx, work)
}

// witness tells a tenant's own trail what is done to it from outside.
func (s *desk) witness(tx uow.Tx, t tenancy.Tenant, d op.Def, by authn.Caller) {
	tx.AfterCommit(func(ctx context.Context) { s.jobs.Witness(ctx, t, d, by) })
}

// doom begins to remove a backup; version 0 stands for any.
func (s *desk) doom(ctx context.Context, tx uow.Tx, tenant, backup uuid.UUID, version int64) (domain.Backup, error) {
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
}
