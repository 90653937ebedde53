package pg_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/insulahq/insula/platform/benchtest"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

const (
	readRole = `SELECT id, name, description, built_in, permissions, version, created_at, updated_at FROM roles WHERE name = $1`
	saveRole = `UPDATE roles SET version = version + 1 WHERE name = $1`
	roleName = "measured"
)

// plainPool is what one would use without tenants: connections that live in
// one schema.
func plainPool(b *testing.B, url, schema string) *pgxpool.Pool {
	b.Helper()
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		b.Fatal(err)
	}
	if schema != "" {
		cfg.ConnConfig.RuntimeParams["search_path"] = schema
	}
	pool, err := pgxpool.NewWithConfig(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	return pool
}

func scanRole(row pgx.Row) error {
	var id [16]byte
	var name, description string
	var builtIn bool
	var permissions []string
	var version int64
	var created, updated time.Time
	return row.Scan(&id, &name, &description, &builtIn, &permissions, &version, &created, &updated)
}

// inSeparateTrips is a tenant's transaction as it is usually opened: begin,
// settings, statement and commit wait for one another.
func inSeparateTrips(ctx context.Context, pool *pgxpool.Pool, schema string, fn func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `SELECT set_config('search_path', $1, true), set_config('role', $1, true)`, schema)
		if err != nil {
			return err
		}
		return fn(tx)
	})
}

// BenchmarkRead is one caller that reads one row. The floor is the same query
// on one schema, without a transaction.
func BenchmarkRead(b *testing.B) {
	f, ctx := measuredTenant(b), b.Context()
	plain := plainPool(b, f.MigratorURL.Reveal(), f.Tenant.Schema)
	app := plainPool(b, f.AppURL.Reveal(), "")
	floor := func() error { return scanRole(plain.QueryRow(ctx, readRole, roleName)) }
	b.Run("unit", func(b *testing.B) {
		benchtest.Compare(b, floor, func() error {
			return f.Unit().Read(ctx, func(tx uow.Tx) error { return scanRole(pg.DB(tx).QueryRow(ctx, readRole, roleName)) })
		})
	})
	b.Run("separate_trips", func(b *testing.B) {
		benchtest.Compare(b, floor, func() error {
			return inSeparateTrips(ctx, app, f.Tenant.Schema, func(tx pgx.Tx) error {
				return scanRole(tx.QueryRow(ctx, readRole, roleName))
			})
		})
	})
}

// BenchmarkWrite is one caller that changes one row. The floor is the same
// statement on one schema, which commits itself.
func BenchmarkWrite(b *testing.B) {
	f, ctx := measuredTenant(b), b.Context()
	plain := plainPool(b, f.MigratorURL.Reveal(), f.Tenant.Schema)
	app := plainPool(b, f.AppURL.Reveal(), "")
	floor := func() error {
		_, err := plain.Exec(ctx, saveRole, roleName)
		return err
	}
	b.Run("unit", func(b *testing.B) {
		benchtest.Compare(b, floor, func() error {
			return f.Unit().Write(ctx, func(tx uow.Tx) error {
				_, err := pg.DB(tx).Exec(ctx, saveRole, roleName)
				return err
			})
		})
	})
	b.Run("separate_trips", func(b *testing.B) {
		benchtest.Compare(b, floor, func() error {
			return inSeparateTrips(ctx, app, f.Tenant.Schema, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, saveRole, roleName)
				return err
			})
		})
	})
}

func measuredTenant(b *testing.B) pgtest.Fixture {
	b.Helper()
	f := pgtest.Tenant(b)
	f.Write(b, func(tx uow.Tx) error { return insertRole(b.Context(), tx, roleName) })
	return f
}

// BenchmarkProvision makes a tenant: its row in the registry, its role, its
// schema with all tables and rights, in one transaction.
func BenchmarkProvision(b *testing.B) {
	pgtest.Database(b)
	for b.Loop() {
		pgtest.Tenant(b)
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/tenant")
}
