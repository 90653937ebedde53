package pgtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Move moves a tenant from the package's database to the placement, or from
// there back when to is the main one, and cleans up. The registries are kept as
// the product keeps them. Each of during is called while writers wait.
func (p Placement) Move(t testing.TB, tenant tenancy.Tenant, to string, during ...func()) pg.Moved {
	t.Helper()
	from, at := Database(t), p.DB
	if to == tenancy.MainPlacement {
		from, at = at, from
	}
	if err := p.copyRow(t, tenant); err != nil {
		t.Fatal(err)
	}
	source, target := p.carrier(t, from), p.carrier(t, at)
	state := pg.Moving{Schema: tenant.Schema}
	hooks := pg.MoveHooks{
		Keep: func(_ context.Context, m pg.Moving) error { state = m; return nil },
		Arrive: func(context.Context, uow.Tx) error {
			for _, f := range during {
				f()
			}
			return nil
		},
		Leave: func(ctx context.Context, tx uow.Tx) error { return place(ctx, tx, tenant, to) },
		Open: func(ctx context.Context) error {
			return at.Migrator.Control().Write(ctx, func(tx uow.Tx) error { return place(ctx, tx, tenant, to) })
		},
	}
	mover := pg.NewMover(source, target, pg.MoveOptions{})
	moved, err := mover.Move(t.Context(), state, hooks)
	if err != nil {
		t.Fatal(err)
	}
	if err := mover.Clean(t.Context(), state, hooks); err != nil {
		t.Fatal(err)
	}
	return moved
}

func (p Placement) carrier(t testing.TB, db DB) *pg.Carrier {
	t.Helper()
	c, err := db.Migrator.Carrier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// copyRow has the placement's registry know the tenant, which is not there yet.
func (p Placement) copyRow(t testing.TB, tenant tenancy.Tenant) error {
	return p.Migrator.Control().Write(t.Context(), func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(t.Context(), `INSERT INTO control.tenants
			(id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, placement)
			VALUES ($1, $2, $3, $4, $5, $6, 'admin@example.com', 1, $7, $7, $8) ON CONFLICT DO NOTHING`,
			tenant.ID, tenant.Slug, tenant.Name, string(tenant.Kind), string(tenant.Status), tenant.Schema, time.Now().UTC(), tenancy.MainPlacement)
		return err
	})
}

// place has a registry say where a tenant is.
func place(ctx context.Context, tx uow.Tx, tenant tenancy.Tenant, placement string) error {
	tag, err := pg.DB(tx).Exec(ctx, "UPDATE control.tenants SET placement = $2 WHERE id = $1", tenant.ID, placement)
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("a registry does not know the tenant %s", tenant.ID)
	}
	return err
}
