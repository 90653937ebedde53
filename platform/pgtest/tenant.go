package pgtest

import (
	"context"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Fixture is a tenant of a test's own.
type Fixture struct {
	DB
	Tenant tenancy.Tenant
}

// Unit opens a unit of work in the tenant.
func (f Fixture) Unit() uow.Unit { return f.Pool.Tenant(f.Tenant) }

// Read runs fn in a reading unit of work and fails the test on an error.
func (f Fixture) Read(t testing.TB, fn func(tx uow.Tx) error) {
	t.Helper()
	if err := f.Unit().Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// Write runs fn in a writing unit of work and fails the test on an error.
func (f Fixture) Write(t testing.TB, fn func(tx uow.Tx) error) {
	t.Helper()
	if err := f.Unit().Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// BehindTheWall runs a statement in the tenant's schema as a superuser: what
// somebody with all rights in the database could do. It returns how many rows
// it touched.
func (f Fixture) BehindTheWall(t testing.TB, sql string, args ...any) int64 {
	t.Helper()
	cfg, err := pgx.ParseConfig(f.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	cfg.RuntimeParams["search_path"] = f.Tenant.Schema
	db, err := pgx.ConnectConfig(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	tag, err := db.Exec(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	return tag.RowsAffected()
}

// Tenant provisions an active tenant with an empty schema.
func Tenant(t testing.TB) Fixture {
	t.Helper()
	return provision(t, Database(t), tenancy.Customer)
}

// TenantIn provisions one in a database of the test's own.
func TenantIn(t testing.TB, db DB) Fixture {
	t.Helper()
	return provision(t, db, tenancy.Customer)
}

func provision(t testing.TB, db DB, kind tenancy.Kind) Fixture {
	t.Helper()
	f := Fixture{DB: db, Tenant: newTenant(t, kind)}
	f.provision(t)
	return f
}

func newTenant(t testing.TB, kind tenancy.Kind) tenancy.Tenant {
	id := uuid.Must(uuid.NewV7())
	plain := hex.EncodeToString(id[:])
	return tenancy.Tenant{
		ID: id, Slug: "t" + plain[len(plain)-20:], Name: t.Name(), Kind: kind,
		Status: tenancy.Active, Schema: "t_" + plain,
	}
}

func (f Fixture) provision(t testing.TB) {
	t.Helper()
	err := f.Migrator.Provision(t.Context(), pg.Provisioning{
		Schema:   f.Tenant.Schema,
		Landlord: f.Tenant.Kind == tenancy.Landlord,
		Claim:    func(ctx context.Context, tx uow.Tx) (bool, error) { return true, register(ctx, tx, f.Tenant) },
	}, func(uow.Tx) error { return nil })
	if err != nil {
		t.Fatalf("pgtest: provision a tenant: %v", err)
	}
}

func register(ctx context.Context, tx uow.Tx, t tenancy.Tenant) error {
	_, err := pg.DB(tx).Exec(ctx, `INSERT INTO control.tenants
		(id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, placement)
		VALUES ($1, $2, $3, $4, $5, $6, 'admin@example.com', 1, $7, $7, $8)`,
		t.ID, t.Slug, t.Name, string(t.Kind), string(t.Status), t.Schema, time.Now().UTC(), t.Home())
	return err
}
