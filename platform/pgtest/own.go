package pgtest

import (
	"context"
	"syscall"
	"testing"
	"time"

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
	return OwnMachine(t).DB
}

// Machine is a server of a test's own that can be killed and started again.
type Machine struct {
	DB
	server *pgserver.Server
	start  pgserver.Options
}

// OwnMachine is Own for tests that kill the whole server.
func OwnMachine(t testing.TB) *Machine {
	t.Helper()
	m := &Machine{start: pgserver.Options{Dir: t.TempDir(), Profile: pgserver.Durable, Password: "only here"}}
	m.Start(t)
	t.Cleanup(func() {
		if err := m.server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	var err error
	if m.DB, err = furnish(context.Background(), m.server, secret.New(m.start.Password)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.close)
	return m
}

// Kill kills the server outright.
func (m *Machine) Kill(t testing.TB) {
	t.Helper()
	if err := syscall.Kill(m.server.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-m.server.Done()
	if err := m.server.Stop(context.Background()); err != nil { // gives up the lock of its directory
		t.Fatal(err)
	}
}

// What a killed server has left behind notices that it is gone only after a
// moment: until then the data cannot be opened.
const (
	startPatience = 30 * time.Second
	startPause    = 20 * time.Millisecond
)

// Start brings the server up again, where it was.
func (m *Machine) Start(t testing.TB) {
	t.Helper()
	patience, again := time.After(startPatience), time.NewTicker(startPause)
	defer again.Stop()
	server, err := pgserver.Start(context.Background(), m.start)
	for err != nil {
		select {
		case <-patience:
			t.Fatal(err)
		case <-again.C:
			server, err = pgserver.Start(context.Background(), m.start)
		}
	}
	if m.start.Port != 0 && server.Port() != m.start.Port {
		t.Fatalf("the server is at port %d instead of %d", server.Port(), m.start.Port)
	}
	m.server, m.start.Port = server, server.Port()
}

// furnish makes a database with an empty control schema on a new server.
func furnish(ctx context.Context, server *pgserver.Server, password secret.Value) (DB, error) {
	const name = "insula"
	app, migrator, err := pg.Bootstrap(ctx, server.URL("postgres"), pg.BootstrapParams{Database: name, AppPassword: password, MigratorPassword: password})
	if err != nil {
		return DB{}, err
	}
	made := DB{AppURL: secret.New(app), MigratorURL: secret.New(migrator), SuperuserURL: server.URL(name)}
	if made.Migrator, err = pg.OpenMigrator(ctx, made.MigratorURL, migrations.Control, migrations.Tenant); err != nil {
		return DB{}, err
	}
	if _, err := made.Migrator.UpgradeControl(ctx); err != nil {
		return DB{}, err
	}
	made.Pool, err = pg.Open(ctx, pg.Options{URL: made.AppURL, MaxConns: testConns})
	return made, err
}

func (db DB) close() {
	db.Pool.Close()
	db.Migrator.Close()
}
