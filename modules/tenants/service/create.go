package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Create registers a tenant. Its schema is made afterwards by Provision.
var Create = op.Write("tenants.create", "Create a tenant and invite its first administrator.", op.Landlord, op.About("tenant"))

// NewTenant is what is needed to create a tenant.
type NewTenant struct {
	Slug, Name, AdminEmail string
	Placement              string // that is to house it; the main one unless named
}

// Creation is a tenant that has been registered and the work that brings it
// to life.
type Creation struct {
	Tenant    domain.Tenant
	Operation uuid.UUID
}

// Create registers a tenant and the operation that provisions it.
func (s *Tenants) Create(ctx context.Context, in NewTenant) (Creation, error) {
	return op.Do(ctx, s.run, Create, func(tx uow.Tx) (Creation, error) {
		now := s.clock.Now()
		t, err := domain.Register(s.ids.New(), in.Slug, in.Name, tenancy.Customer, in.AdminEmail, now)
		if err == nil {
			t, err = t.In(in.Placement, s.houses)
		}
		if err != nil {
			return Creation{}, err
		}
		tx.Trail().On("tenant", t.ID.String(), t.Slug)
		tx.Trail().Changed(nil, t.View())
		if err := s.repo.Insert(ctx, tx, t); err != nil {
			return Creation{}, err
		}
		work := domain.Operation{
			ID: s.ids.New(), Kind: domain.CreateKind, TenantID: t.ID, Status: domain.Running,
			CreatedAt: now, UpdatedAt: now,
		}
		return Creation{Tenant: t, Operation: work.ID}, s.repo.Begin(ctx, tx, work)
	})
}
