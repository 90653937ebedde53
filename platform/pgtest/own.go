package pgtest

import (
	"context"
	"testing"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgserver"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/sql/migrations"
)

// Own starts a server of the test's own, for tests that kill it, with an empty
// control schema. It ends with the test. Unlike the others it loses nothing that
// was committed when it is killed.
func Own(t testing.TB) DB {
	t.Helper()
	ctx := context.Background()
	password := secret.New("only here")
	server, err := pgserver.Start(ctx, pgserver.Options{Dir: t.TempDir(), Profile: pgserver.Durable, Password: password.Reveal()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	const name = "insula"
	app, migrator, err := pg.Bootstrap(ctx, server.URL("postgres"), pg.BootstrapParams{Database: name, AppPassword: password, MigratorPassword: password})
	if err != nil {
		t.Fatal(err)
	}
	own := DB{AppURL: secret.New(app), MigratorURL: secret.New(migrator), SuperuserURL: server.URL(name)}
	if own.Migrator, err = pg.OpenMigrator(ctx, own.MigratorURL, migrations.Control, migrations.Tenant); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Migrator.Close)
	if _, err := own.Migrator.UpgradeControl(ctx); err != nil {
		t.Fatal(err)
	}
	if own.Pool, err = pg.Open(ctx, pg.Options{URL: own.AppURL, MaxConns: testConns}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Pool.Close)
	return own
}
