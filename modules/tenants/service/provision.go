package service

import (
	"context"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Provision, Found and Invite are the background side of a tenant's birth.
var (
	Provision = op.Job("tenants.provision", "Make the schema of a registered tenant.", op.About("tenant"))
	Found     = op.Job("tenants.found", "Make the operator's own tenant.", op.About("tenant"))
	Invite    = op.Job("tenants.invite_admin", "Invite the first administrator of a tenant.", op.About("tenant"))
)

// Provisioning makes tenants. It is safe to repeat at every step.
type Provisioning struct {
	jobs    *op.Jobs
	builder domain.Builder
	repo    domain.Repository
	seeders []tenants.Seeder
	founder users.Founder
	units   Units
	clock   clock.Clock
}

// NewProvisioning makes the service of a process. The seeders run in order.
func NewProvisioning(jobs *op.Jobs, b domain.Builder, repo domain.Repository, seeders []tenants.Seeder, f users.Founder, units Units, c clock.Clock) *Provisioning {
	return &Provisioning{jobs: jobs, builder: b, repo: repo, seeders: seeders, founder: f, units: units, clock: c}
}

// Provision makes the schema of a tenant that is registered, seeds it and
// activates it, in one transaction. It does nothing for a tenant that has
// been provisioned already.
func (s *Provisioning) Provision(ctx context.Context, t domain.Tenant) (domain.Tenant, error) {
	unit := s.builder.Unit(t, func(ctx context.Context, tx uow.Tx) (bool, error) {
		current, err := s.repo.Lock(ctx, tx, t.ID)
		return current.Status == tenancy.Provisioning, err
	})
	return op.Do(ctx, s.jobs.Runner(t.Tenant, Provision, unit), Provision.On(t.ID.String()), func(tx uow.Tx) (domain.Tenant, error) {
		return s.settle(ctx, tx, t)
	})
}

// Found registers and makes the operator's tenant in one transaction. It
// returns domain.ErrLandlordTaken when there is one already.
func (s *Provisioning) Found(ctx context.Context, t domain.Tenant) (domain.Tenant, error) {
	unit := s.builder.Unit(t, func(ctx context.Context, tx uow.Tx) (bool, error) {
		return true, s.repo.Insert(ctx, tx, t)
	})
	return op.Do(ctx, s.jobs.Runner(t.Tenant, Found, unit), Found.On(t.ID.String()), func(tx uow.Tx) (domain.Tenant, error) {
		return s.settle(ctx, tx, t)
	})
}

func (s *Provisioning) settle(ctx context.Context, tx uow.Tx, t domain.Tenant) (domain.Tenant, error) {
	for _, seeder := range s.seeders {
		if err := seeder.Seed(ctx, tx, t.Tenant, t.AdminEmail); err != nil {
			return t, err
		}
	}
	t.Status, t.UpdatedAt = tenancy.Active, s.clock.Now()
	tx.Trail().On("tenant", t.ID.String(), t.Slug)
	tx.Trail().Changed(nil, t.View())
	return t, s.repo.Activate(ctx, tx, t)
}

// Invite makes a one-time token for the tenant's first administrator.
func (s *Provisioning) Invite(ctx context.Context, t domain.Tenant) (users.Invitation, error) {
	run := s.jobs.Runner(t.Tenant, Invite, s.units.Tenant(t.Tenant))
	return op.Do(ctx, run, Invite.On(t.ID.String()), func(tx uow.Tx) (users.Invitation, error) {
		tx.Trail().On("tenant", t.ID.String(), t.Slug)
		return s.founder.Invite(ctx, tx, t.AdminEmail)
	})
}
