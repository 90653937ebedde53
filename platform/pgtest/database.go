package pgtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/sql/migrations"
)

// DB is the database of one test package.
type DB struct {
	AppURL       secret.Value // as the application's role
	MigratorURL  secret.Value // as the role that owns the schemas
	SuperuserURL string       // for tests that look behind the wall
	Pool         *pg.Pool
	Migrator     *pg.Migrator
}

var (
	dbOnce sync.Once
	db     DB
	dbName string
	dbErr  error
)

// Database returns the package's database, made on first use.
func Database(t testing.TB) DB {
	t.Helper()
	if serverURL == "" {
		t.Fatal("pgtest: the package has no TestMain that calls pgtest.Main")
	}
	dbOnce.Do(func() { dbErr = openDatabase(context.Background()) })
	if dbErr != nil {
		t.Fatalf("pgtest: %v", dbErr)
	}
	return db
}

// OneRole is the package's database as a process uses it in which one role
// works for all tenants. Its tenants are others than those of Database.
func OneRole(t testing.TB) DB {
	t.Helper()
	own := Database(t)
	own.Migrator = own.Migrator.WithRoles(pg.OneRole)
	var err error
	if own.Pool, err = pg.Open(t.Context(), pg.Options{URL: own.AppURL, MaxConns: testConns, Roles: pg.OneRole}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Pool.Close)
	return own
}

// testConns is small, so that a unit of work that waits for a second
// connection is found out, and so that many packages fit on one server.
const testConns = 8

func openDatabase(ctx context.Context) error {
	admin, err := pgx.Connect(ctx, serverURL)
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	template, err := prepareTemplate(ctx, admin)
	if err != nil {
		return fmt.Errorf("template: %w", err)
	}
	dbName = fmt.Sprintf("insula_%d_%d", os.Getpid(), admin.PgConn().PID())
	if err := copyDatabase(ctx, admin, dbName, template); err != nil {
		return fmt.Errorf("copy of the template: %w", err)
	}
	return connect(ctx)
}

func connect(ctx context.Context) error {
	app, migrator, err := bootstrap(ctx, dbName)
	if err != nil {
		return err
	}
	db.AppURL, db.MigratorURL = secret.New(app), secret.New(migrator)
	cfg, err := pgx.ParseConfig(serverURL)
	if err != nil {
		return err
	}
	db.SuperuserURL = fmt.Sprintf("postgres://%s:%s@%s:%d/%s?sslmode=disable", cfg.User, cfg.Password, cfg.Host, cfg.Port, dbName)
	if db.Pool, err = pg.Open(ctx, pg.Options{URL: db.AppURL, MaxConns: testConns}); err != nil {
		return err
	}
	db.Migrator, err = pg.OpenMigrator(ctx, db.MigratorURL, migrations.Control, migrations.Tenant)
	return err
}

// prepareTemplate makes, once for a server and a state of the migrations, the
// database that the others are copied from.
func prepareTemplate(ctx context.Context, admin *pgx.Conn) (string, error) {
	name, err := templateName()
	if err != nil {
		return "", err
	}
	if _, err := admin.Exec(ctx, "SELECT pg_advisory_lock(hashtext('insula template'))"); err != nil {
		return "", err
	}
	defer admin.Exec(ctx, "SELECT pg_advisory_unlock(hashtext('insula template'))") //nolint:errcheck // ends with the connection
	var done bool
	if err := admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)", name).Scan(&done); err != nil || done {
		return name, err
	}
	if _, err := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)); err != nil {
		return "", err
	}
	_, migratorURL, err := bootstrap(ctx, name)
	if err != nil {
		return "", err
	}
	m, err := pg.OpenMigrator(ctx, secret.New(migratorURL), migrations.Control, migrations.Tenant)
	if err != nil {
		return "", err
	}
	_, err = m.UpgradeControl(ctx)
	m.Close()
	if err != nil {
		return "", err
	}
	_, err = admin.Exec(ctx, "ALTER DATABASE "+quote(name)+" IS_TEMPLATE true")
	return name, err
}

func copyDatabase(ctx context.Context, admin *pgx.Conn, name, template string) error {
	_, err := admin.Exec(ctx, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s OWNER %s STRATEGY file_copy",
		quote(name), quote(template), quote(pg.MigratorRole)))
	return err
}

// bootstrap uses passwords that follow from the server's own, so that
// packages running at the same time agree on them.
func bootstrap(ctx context.Context, name string) (appURL, migratorURL string, err error) {
	sum := sha256.Sum256([]byte("insula test roles " + serverURL))
	password := secret.New(hex.EncodeToString(sum[:]))
	return pg.Bootstrap(ctx, serverURL, pg.BootstrapParams{Database: name, AppPassword: password, MigratorPassword: password})
}

func templateName() (string, error) {
	h := sha256.New()
	for _, scope := range []fs.FS{migrations.Control, migrations.Tenant} {
		sums, err := fs.ReadFile(scope, "atlas.sum")
		if err != nil {
			return "", err
		}
		h.Write(sums)
	}
	return "insula_template_" + hex.EncodeToString(h.Sum(nil)[:8]), nil
}

func closeDatabase(ctx context.Context) {
	if db.Pool == nil {
		return
	}
	db.Pool.Close()
	if db.Migrator != nil {
		db.Migrator.Close()
	}
	if admin, err := pgx.Connect(ctx, serverURL); err == nil {
		defer admin.Close(ctx)
		_, err = admin.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(dbName)+" WITH (FORCE)")
		if err != nil {
			fmt.Fprintln(os.Stderr, "pgtest: drop database:", err)
		}
	}
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
