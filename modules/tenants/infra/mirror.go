package infra

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Owners opens units of work for the control schema of a placement with its
// owner's rights; tenancy.ErrUnplaced.
type Owners func(placement string) (pg.ControlUnit, error)

// Mirror keeps, in each placement, the registry entries of the tenants that it
// houses: by these they open there. Whether a tenant is served, and under which
// name, the registry of the main placement decides; where its rows are, and of
// which version, is decided beside the rows.
//
// A change is brought to the placement before it is committed in the registry,
// and the entry there is locked by its row here meanwhile. So a tenant that is
// suspended is so at the next request of every node, and a placement that is
// away refuses the change. What a crash between the two leaves, Mend mends.
type Mirror struct {
	owners Owners
	q      *tenantsdb.Queries
}

// NewMirror makes the mirror of a process.
func NewMirror(o Owners) *Mirror { return &Mirror{owners: o, q: tenantsdb.New()} }

// pushTimeout bounds how long a change waits for a placement.
const pushTimeout = 5 * time.Second

// Push brings the entry of a tenant to the placement that houses it.
func (m *Mirror) Push(ctx context.Context, t domain.Tenant) error {
	if t.Home() == tenancy.MainPlacement {
		return nil
	}
	return m.Put(ctx, t.Home(), t)
}

// Put brings the entry of a tenant to a placement. It opens the tenant there
// only if that is the one that houses it.
func (m *Mirror) Put(ctx context.Context, placement string, t domain.Tenant) error {
	return m.write(ctx, placement, func(db pg.DBTX) error { return m.put(ctx, db, t) })
}

func (m *Mirror) put(ctx context.Context, db pg.DBTX, t domain.Tenant) error {
	return m.q.PutMirrored(ctx, db, entryOf(t))
}

func entryOf(t domain.Tenant) tenantsdb.PutMirroredParams {
	return tenantsdb.PutMirroredParams{
		ID: t.ID, Slug: t.Slug, Name: t.Name, Kind: string(t.Kind), Status: string(t.Status), SchemaName: t.Schema,
		AdminEmail: t.AdminEmail, Version: t.Version, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
		SchemaVersion: t.SchemaVersion, Placement: t.Home(),
	}
}

func (m *Mirror) write(ctx context.Context, placement string, fn func(db pg.DBTX) error) error {
	control, err := m.owners(placement)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	return control.Write(ctx, func(tx uow.Tx) error { return fn(pg.DB(tx)) })
}

// Unlike lists the tenants whose entry in a placement is not what the registry
// has.
func (m *Mirror) Unlike(ctx context.Context, placement string) ([]uuid.UUID, error) {
	here, err := m.housed(ctx, tenancy.MainPlacement, placement)
	if err != nil {
		return nil, err
	}
	there, err := m.housed(ctx, placement, placement)
	if err != nil {
		return nil, err
	}
	known := make(map[uuid.UUID]tenantsdb.HousedTenantsRow, len(there))
	for _, t := range there {
		known[t.ID] = t
	}
	var unlike []uuid.UUID
	for _, t := range here {
		if known[t.ID] != t && !ending(t.Status) {
			unlike = append(unlike, t.ID)
		}
	}
	return unlike, nil
}

// ending reports that a tenant is being erased: its entries go, and none is
// brought back.
func ending(status string) bool {
	return tenancy.Status(status) == tenancy.Erasing || tenancy.Status(status) == tenancy.Erased
}

// housed lists what the registry in one placement says that another houses.
func (m *Mirror) housed(ctx context.Context, in, placement string) (rows []tenantsdb.HousedTenantsRow, err error) {
	control, err := m.owners(in)
	if err != nil {
		return nil, err
	}
	err = control.Read(ctx, func(tx uow.Tx) (err error) {
		rows, err = m.q.HousedTenants(ctx, pg.DB(tx), placement)
		return err
	})
	return rows, err
}

// Mend brings the entry of a tenant to its placement as the registry has it,
// and what the placement decides, schema and version of the rows, to the
// registry. The entry here is locked meanwhile, so that nobody changes it in
// between.
func (m *Mirror) Mend(ctx context.Context, id uuid.UUID) error {
	control, err := m.owners(tenancy.MainPlacement)
	if err != nil {
		return err
	}
	return control.Write(ctx, func(tx uow.Tx) error {
		db := pg.DB(tx)
		row, err := m.q.LockTenant(ctx, db, id)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && (row.Placement == tenancy.MainPlacement || ending(row.Status)) {
			return nil
		}
		if err != nil {
			return err
		}
		t := toTenant(row)
		if err := m.Push(ctx, t); err != nil {
			return err
		}
		there, err := m.Entry(ctx, t.Home(), id)
		if err != nil {
			return err
		}
		return m.learn(ctx, db, t, there)
	})
}

// learn has the registry say what a placement has made of a tenant's rows,
// unless somebody is at work who is about to.
func (m *Mirror) learn(ctx context.Context, db pg.DBTX, t, there domain.Tenant) error {
	if there.Schema == t.Schema {
		if there.SchemaVersion == t.SchemaVersion {
			return nil
		}
		return m.q.SetTenantVersion(ctx, db, there.SchemaVersion, t.ID)
	}
	copies, err := m.q.OpenCopiesOf(ctx, db, t.ID)
	if err != nil || len(copies) > 0 || t.Status == tenancy.Provisioning {
		return err
	}
	_, err = m.adopt(ctx, db, t, there)
	return err
}

// Expel removes the entries of a placement for tenants that the registry does
// not know any more: they would keep the slug from others. One that has a schema
// there stays.
func (m *Mirror) Expel(ctx context.Context, placement string) error {
	there, err := m.housed(ctx, placement, placement)
	if err != nil {
		return err
	}
	here, err := m.housed(ctx, tenancy.MainPlacement, placement)
	if err != nil {
		return err
	}
	known := map[uuid.UUID]bool{}
	for _, t := range here {
		known[t.ID] = true
	}
	for _, t := range there {
		if known[t.ID] {
			continue
		}
		if _, err := m.Entry(ctx, tenancy.MainPlacement, t.ID); !errors.Is(err, domain.ErrNotFound) {
			if err != nil {
				return err
			}
			continue // on its way from one placement to another
		}
		if err := m.write(ctx, placement, func(db pg.DBTX) error { return m.q.ExpelTenant(ctx, db, t.ID, placement) }); err != nil {
			return err
		}
	}
	return nil
}

// Entry finds the entry of a tenant in the registry of a placement;
// domain.ErrNotFound.
func (m *Mirror) Entry(ctx context.Context, placement string, id uuid.UUID) (t domain.Tenant, err error) {
	control, err := m.owners(placement)
	if err != nil {
		return t, err
	}
	err = control.Read(ctx, func(tx uow.Tx) error {
		row, err := m.q.GetTenant(ctx, pg.DB(tx), id)
		t = toTenant(row)
		return pg.Translate(err, domain.ErrNotFound, nil)
	})
	return t, err
}

// Houses counts the tenants of each placement, by the registry.
func (m *Mirror) Houses(ctx context.Context) (map[string]int64, error) {
	control, err := m.owners(tenancy.MainPlacement)
	if err != nil {
		return nil, err
	}
	count := map[string]int64{}
	err = control.Read(ctx, func(tx uow.Tx) error {
		rows, err := m.q.CountHoused(ctx, pg.DB(tx))
		for _, row := range rows {
			count[row.Placement] = row.Tenants
		}
		return err
	})
	return count, err
}
