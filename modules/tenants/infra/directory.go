package infra

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Directory implements tenancy.Directory on the control schema, for parts of
// the process that serve all tenants.
type Directory struct {
	control func() pg.ControlUnit
	q       *tenantsdb.Queries
}

// NewDirectory makes the directory of a process; control opens units of work
// for the control schema.
func NewDirectory(control func() pg.ControlUnit) *Directory {
	return &Directory{control: control, q: tenantsdb.New()}
}

// ByID implements tenancy.Directory.
func (d *Directory) ByID(ctx context.Context, id uuid.UUID) (tenancy.Tenant, error) {
	return d.find(ctx, func(db pg.DBTX) (tenantsdb.ControlTenant, error) { return d.q.GetTenant(ctx, db, id) })
}

// BySlug implements tenancy.Directory.
func (d *Directory) BySlug(ctx context.Context, slug string) (tenancy.Tenant, error) {
	return d.find(ctx, func(db pg.DBTX) (tenantsdb.ControlTenant, error) { return d.q.GetTenantBySlug(ctx, db, slug) })
}

func (d *Directory) find(ctx context.Context, query func(pg.DBTX) (tenantsdb.ControlTenant, error)) (tenancy.Tenant, error) {
	var t tenancy.Tenant
	err := d.control().Read(ctx, func(tx uow.Tx) error {
		row, err := query(pg.DB(tx))
		if err != nil {
			return pg.Translate(err, tenancy.ErrUnknown, nil)
		}
		t = toTenant(row).Tenant
		return nil
	})
	if err != nil {
		return tenancy.Tenant{}, err
	}
	if t.Status == tenancy.Deleting || t.Status == tenancy.Erasing || t.Status == tenancy.Erased {
		return tenancy.Tenant{}, tenancy.ErrUnknown
	}
	return t, nil
}

// Registered finds the entry of a tenant in the registry, whatever its status;
// it returns domain.ErrNotFound for a slug that no tenant has.
func (d *Directory) Registered(ctx context.Context, slug string) (t domain.Tenant, err error) {
	err = d.control().Read(ctx, func(tx uow.Tx) error {
		row, err := d.q.GetTenantBySlug(ctx, pg.DB(tx), slug)
		t = toTenant(row)
		return pg.Translate(err, domain.ErrNotFound, nil)
	})
	return t, err
}

// Landlord finds the operator's tenant with its registry entry; it returns
// domain.ErrNotFound before there is one.
func (d *Directory) Landlord(ctx context.Context) (domain.Tenant, error) {
	var t domain.Tenant
	err := d.control().Read(ctx, func(tx uow.Tx) error {
		row, err := d.q.LandlordTenant(ctx, pg.DB(tx))
		if errors.Is(err, pgx.ErrNoRows) {
			return domain.ErrNotFound
		}
		t = toTenant(row)
		return pg.Translate(err, nil, nil)
	})
	return t, err
}

// ServedTenants lists the tenants that are served or suspended.
func (d *Directory) ServedTenants(ctx context.Context) ([]tenancy.Tenant, error) {
	all, err := d.Served(ctx)
	out := make([]tenancy.Tenant, len(all))
	for i, t := range all {
		out[i] = t.Tenant
	}
	return out, err
}

// Served lists the tenants whose schemas are to be kept up to date.
func (d *Directory) Served(ctx context.Context) ([]domain.Tenant, error) {
	var all []domain.Tenant
	err := d.control().Read(ctx, func(tx uow.Tx) error {
		rows, err := d.q.ServedSchemas(ctx, pg.DB(tx))
		all = make([]domain.Tenant, len(rows))
		for i, row := range rows {
			all[i] = toTenant(row)
		}
		return pg.Translate(err, nil, nil)
	})
	return all, err
}
