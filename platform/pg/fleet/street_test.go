package fleet_test

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/fleet"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// The versions of the schemas in these tests.
const (
	v1 = 20260101000000
	v2 = 20260102000000
	v3 = 20260103000000
)

var (
	first  = file{v1, "CREATE TABLE rooms (id integer NOT NULL, name text, CONSTRAINT rooms_pkey PRIMARY KEY (id));"}
	second = file{v2, "ALTER TABLE rooms ADD COLUMN floor integer;\nCREATE TABLE keys (id integer, CONSTRAINT keys_pkey PRIMARY KEY (id));"}
	third  = file{v3, "-- atlas:txmode none\n\nCREATE UNIQUE INDEX CONCURRENTLY rooms_name_key ON rooms (name);"}
)

type file struct {
	version int64
	text    string
}

// directory is a directory of migrations with its sums.
func directory(t testing.TB, files ...file) fstest.MapFS {
	t.Helper()
	out, err := summed(files)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func summed(files []file) (fstest.MapFS, error) {
	texts := map[int64]string{}
	for _, f := range files {
		texts[f.version] = f.text
	}
	return pgtest.Migrations(texts)
}

// here is the database of the test that runs: the package's, or its own.
var here = pgtest.Database

func migrator(t testing.TB, files ...file) *pg.Migrator {
	t.Helper()
	m, err := pg.OpenMigrator(t.Context(), here(t).MigratorURL, fstest.MapFS{}, directory(t, files...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func open(t testing.TB, files ...file) *fleet.Fleet {
	t.Helper()
	return fleet.New(pg.NewPlacements(migrator(t, files...), nil), clock.System{})
}

// street provisions tenants at a version and removes them at the end.
func street(t testing.TB, n int, files ...file) []tenancy.Tenant {
	t.Helper()
	m := migrator(t, files...)
	out := make([]tenancy.Tenant, n)
	for i := range out {
		out[i] = house(t, m, tenancy.Customer)
	}
	return out
}

func house(t testing.TB, m *pg.Migrator, kind tenancy.Kind) tenancy.Tenant {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	plain := hex.EncodeToString(id[:])
	h := tenancy.Tenant{ID: id, Slug: "t" + plain[len(plain)-20:], Name: "x", Kind: kind, Status: tenancy.Active, Schema: "t_" + plain}
	err := m.Provision(t.Context(), pg.Provisioning{
		Schema: h.Schema, Landlord: kind == tenancy.Landlord,
		Claim: func(ctx context.Context, tx uow.Tx) (bool, error) {
			_, err := pg.DB(tx).Exec(ctx, `INSERT INTO control.tenants
				(id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at)
				VALUES ($1, $2, 'x', $3, 'active', $4, 'a@example.com', 1, $5, $5)`, h.ID, h.Slug, string(h.Kind), h.Schema, time.Now())
			return true, err
		},
	}, func(uow.Tx) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn := superuser(t)
		run(t, conn, "DROP SCHEMA IF EXISTS "+h.Schema+" CASCADE")
		run(t, conn, "DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '"+h.Schema+"') THEN DROP OWNED BY "+h.Schema+"; END IF; END $$")
		run(t, conn, "DROP ROLE IF EXISTS "+h.Schema)
		run(t, conn, "DELETE FROM control.fleet_attempts WHERE tenant_id = '"+h.ID.String()+"'")
		run(t, conn, "DELETE FROM control.tenants WHERE id = '"+h.ID.String()+"'")
	})
	return h
}

// superuser connects behind the wall.
func superuser(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), here(t).SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func run(t testing.TB, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func value[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// breakHouse makes the second migration fail in a tenant.
func breakHouse(t testing.TB, h tenancy.Tenant) {
	t.Helper()
	run(t, superuser(t), "CREATE TABLE "+h.Schema+".keys (id integer)")
}

func repair(t testing.TB, h tenancy.Tenant) {
	t.Helper()
	run(t, superuser(t), "DROP TABLE "+h.Schema+".keys")
}

func slugs(all []tenancy.Tenant) []string {
	var out []string
	for _, h := range all {
		out = append(out, h.Slug)
	}
	return out
}

func planned(t testing.TB, f *fleet.Fleet, s fleet.Selection) []string {
	t.Helper()
	p, err := f.Plan(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, b := range p.Behind {
		out = append(out, b.Slug)
	}
	return out
}

// whole checks that every tenant is at one of the versions, in the registry,
// in its own history and in what its schema has, and returns the versions.
func whole(t testing.TB, houses []tenancy.Tenant, f *fleet.Fleet) []int64 {
	t.Helper()
	_, err := f.Verify(t.Context(), fleet.VerifyOptions{Slugs: slugs(houses), Parallel: 4, Told: func(f fleet.Finding) {
		t.Errorf("tenant %s at %d is between versions: %s", f.Tenant.Slug, f.Tenant.Version, strings.Join(f.Drift, "; "))
	}})
	if err != nil {
		t.Fatal(err)
	}
	conn := superuser(t)
	var versions []int64
	for _, h := range houses {
		versions = append(versions, value[int64](t, conn, "SELECT schema_version FROM control.tenants WHERE id = $1", h.ID))
	}
	slices.Sort(versions)
	return versions
}
