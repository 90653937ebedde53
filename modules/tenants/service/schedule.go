package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// The backups that nobody asks for, and their end.
var (
	ScheduleBackup = op.Job("tenants.backups.schedule", "Begin a backup of a tenant for which it is time.", op.About("tenant"))
	ExpireBackup   = op.Job("tenants.backups.expire", "Remove a backup that was made by the schedule and is beyond what is kept.", op.About("backup"))
)

// Scheduling begins and ends the backups of the schedule, in the operator's
// name.
type Scheduling struct {
	desk
	landlord Landlord
}

// NewScheduling makes the service of a process.
func NewScheduling(jobs *op.Jobs, repo domain.Repository, b domain.Backups, l Landlord, c clock.Clock, ids id.Source) *Scheduling {
	return &Scheduling{desk: desk{repo: repo, backups: b, jobs: jobs, clock: c, ids: ids}, landlord: l}
}

// Schedule begins a backup of a tenant if it is still time for it; ErrNotDue
// when another process was first. The tenant is locked while that is decided:
// however many processes ask, there is one backup.
func (s *Scheduling) Schedule(ctx context.Context, tenant uuid.UUID, by domain.Schedule) (Begun, error) {
	landlord, err := s.landlord(ctx)
	if err != nil {
		return Begun{}, err
	}
	return op.Do(ctx, s.jobs.Runner(landlord.Tenant, ScheduleBackup), ScheduleBackup.On(tenant.String()), func(tx uow.Tx) (Begun, error) {
		t, err := s.claim(ctx, tx, tenant, domain.CopyOut)
		if err != nil {
			return Begun{}, err
		}
		made, err := s.backups.Scheduled(ctx, tx, tenant)
		if err != nil {
			return Begun{}, err
		}
		if !by.Due(tenant, made, s.clock.Now()) {
			return Begun{}, domain.ErrNotDue
		}
		s.witness(tx, t.Tenant, ScheduleBackup, authn.Caller{Kind: authn.Job, Label: ScheduleBackup.Name})
		return s.back(ctx, tx, t, domain.BySchedule)
	})
}

// Expire begins to remove a backup of the schedule; ErrBackupInUse for one
// that is being restored.
func (s *Scheduling) Expire(ctx context.Context, b domain.Backup) error {
	landlord, err := s.landlord(ctx)
	if err != nil {
		return err
	}
	_, err = op.Do(ctx, s.jobs.Runner(landlord.Tenant, ExpireBackup), ExpireBackup.On(b.ID.String()), func(tx uow.Tx) (domain.Backup, error) {
		return s.doom(ctx, tx, b.TenantID, b.ID, b.Version)
	})
	return err
}
