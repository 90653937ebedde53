package pgtest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
	"github.com/insulahq/insula/sql/migrations"
)

// Placement is a second database that houses tenants, the test's own.
type Placement struct {
	DB   // its Pool knows the package's database as the main placement, and this one
	Name string
}

// Beside makes a placement: a database on the server of this run.
func Beside(t testing.TB) Placement {
	t.Helper()
	first := Database(t)
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, serverURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { admin.Close(ctx) })
	template, err := prepareTemplate(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("beside_%d_%d", os.Getpid(), admin.PgConn().PID())
	if err := copyDatabase(ctx, admin, name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	app, migrator, err := bootstrap(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	p := Placement{Name: fmt.Sprintf("beside-%d", admin.PgConn().PID()), DB: DB{AppURL: secret.New(app), MigratorURL: secret.New(migrator)}}
	p.SuperuserURL = strings.Replace(first.SuperuserURL, "/"+dbName+"?", "/"+name+"?", 1)
	if p.Migrator, err = pg.OpenMigrator(ctx, p.MigratorURL, migrations.Control, migrations.Tenant); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Migrator.Close)
	p.Migrator = p.Migrator.WithPlacement(p.Name)
	if p.Pool, err = p.open(ctx, first); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Pool.Close)
	return p
}

// Away is the migrator of a placement that nobody can reach.
func Away(t testing.TB) *pg.Migrator {
	t.Helper()
	m, err := pg.OpenMigrator(t.Context(), secret.New("postgres://nobody@127.0.0.1:1/none?sslmode=disable"), migrations.Control, migrations.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// Tenant provisions an active tenant in the placement, which the registry of
// the package's database knows too.
func (p Placement) Tenant(t testing.TB) Fixture {
	t.Helper()
	f := Fixture{DB: p.DB, Tenant: newTenant(t, tenancy.Customer)}
	f.Tenant.Placement = p.Name
	f.provision(t)
	known := func(tx uow.Tx) error { return register(t.Context(), tx, f.Tenant) }
	if err := Database(t).Migrator.Control().Write(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	return f
}
