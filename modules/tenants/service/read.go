package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Get, List and GetOperation read the registry.
var (
	Get          = op.Read("tenants.get", "See a tenant.", op.Landlord, op.About("tenant"))
	List         = op.Read("tenants.list", "See all tenants.", op.Landlord, op.About("tenant"))
	GetOperation = op.Read("tenants.operations.get", "Follow long work on a tenant.", op.Landlord, op.About("operation"))
)

// Get shows one tenant.
func (s *Tenants) Get(ctx context.Context, id uuid.UUID) (domain.Tenant, error) {
	return op.Do(ctx, s.run, Get.On(id.String()), func(tx uow.Tx) (domain.Tenant, error) {
		return s.repo.Get(ctx, tx, id)
	})
}

// List pages through the tenants, newest first.
func (s *Tenants) List(ctx context.Context, spec domain.Spec, r page.Request) (page.Page[domain.Tenant], error) {
	return op.Do(ctx, s.run, List, func(tx uow.Tx) (page.Page[domain.Tenant], error) {
		return s.repo.List(ctx, tx, spec, r)
	})
}

// GetOperation shows how far long work is.
func (s *Tenants) GetOperation(ctx context.Context, id uuid.UUID) (domain.Operation, error) {
	return op.Do(ctx, s.run, GetOperation.On(id.String()), func(tx uow.Tx) (domain.Operation, error) {
		return s.repo.Operation(ctx, tx, id)
	})
}
