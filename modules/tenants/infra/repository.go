// Package infra keeps the registry of tenants in the control schema.
package infra

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

var rules = pg.Rules{
	"tenants_slug_key":     domain.ErrSlugTaken,
	"tenants_operator_key": domain.ErrLandlordTaken,
}

// Repository implements domain.Repository.
type Repository struct {
	mirror *Mirror
	q      *tenantsdb.Queries
}

// NewRepository makes a repository.
func NewRepository(m *Mirror) *Repository { return &Repository{mirror: m, q: tenantsdb.New()} }

// Insert implements domain.Repository.
func (r *Repository) Insert(ctx context.Context, tx uow.Tx, t domain.Tenant) error {
	return pg.Translate(r.q.InsertTenant(ctx, pg.DB(tx), tenantsdb.InsertTenantParams{
		ID: t.ID, Slug: t.Slug, Name: t.Name, Kind: string(t.Kind), Status: string(t.Status), SchemaName: t.Schema,
		AdminEmail: t.AdminEmail, Version: t.Version, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt, Placement: t.Home(),
	}), nil, rules)
}

// Get implements domain.Repository.
func (r *Repository) Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.Tenant, error) {
	row, err := r.q.GetTenant(ctx, pg.DB(tx), id)
	return toTenant(row), pg.Translate(err, domain.ErrNotFound, nil)
}

// Lock implements domain.Repository.
func (r *Repository) Lock(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.Tenant, error) {
	row, err := r.q.LockTenant(ctx, pg.DB(tx), id)
	return toTenant(row), pg.Translate(err, domain.ErrNotFound, nil)
}

// List implements domain.Repository.
func (r *Repository) List(ctx context.Context, tx uow.Tx, s domain.Spec, p page.Request) (page.Page[domain.Tenant], error) {
	var status *string
	if s.Status != "" {
		v := string(s.Status)
		status = &v
	}
	from := p.From()
	rows, err := r.q.ListTenants(ctx, pg.DB(tx), tenantsdb.ListTenantsParams{
		AfterAt: from.At, AfterID: from.ID, Status: status, MaxItems: int32(p.Limit) + 1,
	})
	if err != nil {
		return page.Page[domain.Tenant]{}, pg.Translate(err, nil, nil)
	}
	all := make([]domain.Tenant, len(rows))
	for i, row := range rows {
		all[i] = toTenant(row)
	}
	return page.Cut(all, p.Limit, func(t domain.Tenant) page.Position {
		return page.Position{At: t.CreatedAt, ID: t.ID}
	}), nil
}

// Update implements domain.Repository.
func (r *Repository) Update(ctx context.Context, tx uow.Tx, t domain.Tenant) (domain.Tenant, error) {
	n, err := r.q.UpdateTenant(ctx, pg.DB(tx), tenantsdb.UpdateTenantParams{
		ID: t.ID, Name: t.Name, Status: string(t.Status), UpdatedAt: t.UpdatedAt, Version: t.Version,
	})
	if err != nil {
		return t, pg.Translate(err, nil, rules)
	}
	if n == 0 {
		if _, err := r.Get(ctx, tx, t.ID); err != nil {
			return t, err
		}
		return t, errs.ErrPreconditionFailed
	}
	t.Version++
	return t, r.mirror.Push(ctx, t)
}

// Copying implements domain.Repository.
func (r *Repository) Copying(ctx context.Context, tx uow.Tx, tenant uuid.UUID) ([]domain.CopyKind, error) {
	rows, err := r.q.OpenCopiesOf(ctx, pg.DB(tx), tenant)
	kinds := make([]domain.CopyKind, len(rows))
	for i, kind := range rows {
		kinds[i] = domain.CopyKind(kind)
	}
	return kinds, pg.Translate(err, nil, nil)
}

// Frozen implements domain.Repository.
func (r *Repository) Frozen(ctx context.Context, tx uow.Tx) (bool, error) {
	frozen, err := r.q.FleetFrozen(ctx, pg.DB(tx))
	return frozen, pg.Translate(err, nil, nil)
}

// Activate implements domain.Repository.
func (r *Repository) Activate(ctx context.Context, tx uow.Tx, t domain.Tenant) error {
	return pg.Translate(r.q.SetTenantStatus(ctx, pg.DB(tx), string(tenancy.Active), t.UpdatedAt, t.ID), nil, nil)
}

// orZero reads an instant that may be missing.
func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func toTenant(row tenantsdb.ControlTenant) domain.Tenant {
	return domain.Tenant{
		Tenant: tenancy.Tenant{
			ID: row.ID, Slug: row.Slug, Name: row.Name, Kind: tenancy.Kind(row.Kind),
			Status: tenancy.Status(row.Status), Schema: row.SchemaName, Placement: row.Placement,
		},
		AdminEmail: row.AdminEmail, Version: row.Version, SchemaVersion: row.SchemaVersion, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
}
