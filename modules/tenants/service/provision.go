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

// Claim decides, in the transaction that makes a schema, whether it is still
// to be made.
type Claim func(ctx context.Context, tx uow.Tx) (bool, error)

// Builder makes tenants in their placements. What it is asked for again is
// done once.
type Builder interface {
	// Announce tells the placement of a tenant that is to be made there.
	Announce(ctx context.Context, t domain.Tenant) error
	// Runner runs an operation inside a schema that is made in the same
	// transaction, unless claim says that there is nothing to do.
	Runner(t domain.Tenant, d op.Def, claim Claim) *op.Runner
	// Open lets a tenant in that was made in a placement other than the main one.
	Open(ctx context.Context, t domain.Tenant) (domain.Tenant, error)
}

// Provisioning makes tenants. It is safe to repeat at every step.
type Provisioning struct {
	jobs    *op.Jobs
	builder Builder
	repo    domain.Repository
	seeders []tenants.Seeder
	founder users.Founder
	clock   clock.Clock
}

// NewProvisioning makes the service of a process. The seeders run in order.
func NewProvisioning(jobs *op.Jobs, b Builder, repo domain.Repository, seeders []tenants.Seeder, f users.Founder, c clock.Clock) *Provisioning {
	return &Provisioning{jobs: jobs, builder: b, repo: repo, seeders: seeders, founder: f, clock: c}
}

// Provision makes the schema of a tenant that is registered, seeds it and
// activates it, in one transaction. It does nothing for a tenant that has
// been provisioned already. In a placement other than the main one the tenant
// is activated after that transaction, which is not the registry's.
func (s *Provisioning) Provision(ctx context.Context, t domain.Tenant) (domain.Tenant, error) {
	if err := s.builder.Announce(ctx, t); err != nil {
		return t, err
	}
	run := s.builder.Runner(t, Provision, func(ctx context.Context, tx uow.Tx) (bool, error) {
		current, err := s.repo.Lock(ctx, tx, t.ID)
		return current.Status == tenancy.Provisioning && !current.Made(), err
	})
	made, err := op.Do(ctx, run, Provision.On(t.ID.String()), func(tx uow.Tx) (domain.Tenant, error) {
		return s.settle(ctx, tx, t)
	})
	if err != nil || t.Home() == tenancy.MainPlacement {
		return made, err
	}
	return s.builder.Open(ctx, t)
}

// Found registers and makes the operator's tenant in one transaction. It
// returns domain.ErrLandlordTaken when there is one already.
func (s *Provisioning) Found(ctx context.Context, t domain.Tenant) (domain.Tenant, error) {
	run := s.builder.Runner(t, Found, func(ctx context.Context, tx uow.Tx) (bool, error) {
		return true, s.repo.Insert(ctx, tx, t)
	})
	return op.Do(ctx, run, Found.On(t.ID.String()), func(tx uow.Tx) (domain.Tenant, error) {
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
	if t.Home() != tenancy.MainPlacement {
		return t, nil // the registry is elsewhere
	}
	return t, s.repo.Activate(ctx, tx, t)
}

// Invite makes a one-time token for the tenant's first administrator.
func (s *Provisioning) Invite(ctx context.Context, t domain.Tenant) (users.Invitation, error) {
	run := s.jobs.Runner(t.Tenant, Invite)
	return op.Do(ctx, run, Invite.On(t.ID.String()), func(tx uow.Tx) (users.Invitation, error) {
		tx.Trail().On("tenant", t.ID.String(), t.Slug)
		return s.founder.Invite(ctx, tx, t.AdminEmail)
	})
}
