package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Update, Suspend and Resume change a tenant.
var (
	Update  = op.Write("tenants.update", "Rename a tenant.", op.Landlord, op.About("tenant"))
	Suspend = op.Write("tenants.suspend", "Take a tenant out of service.", op.Landlord, op.About("tenant"))
	Resume  = op.Write("tenants.resume", "Put a suspended tenant back into service.", op.Landlord, op.About("tenant"))
)

// Update renames a tenant. Version is the one the caller read; zero means
// any. It returns errs.ErrPreconditionFailed when it is no longer current.
func (s *Tenants) Update(ctx context.Context, id uuid.UUID, version int64, name string) (domain.Tenant, error) {
	return op.Do(ctx, s.run, Update.On(id.String()), func(tx uow.Tx) (domain.Tenant, error) {
		return s.change(ctx, tx, Update, id, func(t domain.Tenant, now time.Time) (domain.Tenant, error) {
			if version != 0 && version != t.Version {
				return t, errs.ErrPreconditionFailed
			}
			return t.Rename(name, now)
		})
	})
}

// Suspend takes a tenant out of service, on every node at its next request.
func (s *Tenants) Suspend(ctx context.Context, id uuid.UUID) (domain.Tenant, error) {
	return op.Do(ctx, s.run, Suspend.On(id.String()), func(tx uow.Tx) (domain.Tenant, error) {
		return s.change(ctx, tx, Suspend, id, domain.Tenant.Suspend)
	})
}

// Resume puts a suspended tenant back into service.
func (s *Tenants) Resume(ctx context.Context, id uuid.UUID) (domain.Tenant, error) {
	return op.Do(ctx, s.run, Resume.On(id.String()), func(tx uow.Tx) (domain.Tenant, error) {
		return s.change(ctx, tx, Resume, id, domain.Tenant.Resume)
	})
}

// change applies a rule to a tenant and, once that is durable, tells the
// tenant's own trail and this process.
func (s *Tenants) change(ctx context.Context, tx uow.Tx, d op.Def, id uuid.UUID, rule func(domain.Tenant, time.Time) (domain.Tenant, error)) (domain.Tenant, error) {
	before, err := s.repo.Lock(ctx, tx, id)
	if err != nil {
		return before, err
	}
	tx.Trail().On("tenant", id.String(), before.Slug)
	after, err := rule(before, s.clock.Now())
	if err != nil {
		return before, err
	}
	tx.Trail().Changed(before.View(), after.View())
	if after, err = s.repo.Update(ctx, tx, after); err != nil {
		return before, err
	}
	tx.AfterCommit(func(ctx context.Context) {
		s.live.Forget(after.ID)
		s.jobs.Witness(ctx, after.Tenant, d, s.run.Caller())
	})
	return after, nil
}
