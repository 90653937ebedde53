package pg_test

import (
	"context"
	"encoding/hex"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// TestKillWhileATenantIsMade stops the making of a tenant, or of a schema for
// one, at each of its steps and kills its backend. Nothing is left that nobody
// knows of, and made again it is complete.
func TestKillWhileATenantIsMade(t *testing.T) {
	t.Parallel()
	db := pgtest.Own(t) // its catalogs are locked
	atEachStep(t, db, func(t *testing.T, holder *pgx.Conn, backend int) {
		t.Helper()
		if _, err := holder.Exec(t.Context(), "SELECT pg_terminate_backend($1)", backend); err != nil {
			t.Fatal(err)
		}
	})
}

// TestKillPostgreSQLWhileATenantIsMade kills the whole of PostgreSQL instead,
// and starts it again.
func TestKillPostgreSQLWhileATenantIsMade(t *testing.T) {
	t.Parallel()
	machine := pgtest.OwnMachine(t)
	atEachStep(t, machine.DB, func(t *testing.T, _ *pgx.Conn, _ int) {
		t.Helper()
		machine.Kill(t)
		machine.Start(t)
	})
}

// blow ends a backend that waits for what a holder keeps from it, or more.
type blow func(t *testing.T, holder *pgx.Conn, backend int)

// atEachStep has the making of a tenant, the taking of a spare for it and the
// keeping of the stock wait at each of their steps and then be killed by a blow.
func atEachStep(t *testing.T, db pgtest.DB, b blow) {
	t.Helper()
	for step, table := range map[string]string{
		"claiming":          claimed,
		"making the role":   "pg_authid",
		"making the schema": "pg_namespace",
		"making the tables": "pg_constraint",
		"sowing the rows":   sown,
	} {
		t.Run(step, func(t *testing.T) { newborn{db: db, tenant: newTenant()}.struck(t, table, b) })
	}
	for step, table := range map[string]string{
		"claiming with a spare": claimed, "taking a spare": "control.spares", "sowing a spare": sown,
	} {
		t.Run(step, func(t *testing.T) {
			w := stockBy(t, db, db.Migrator)
			w.restock(t, 1)
			spare := w.ready(t)[0]
			newborn{db: db, tenant: newTenant(), spare: spare}.struck(t, table, b)
			if left := w.stock(t); len(left) != 0 {
				t.Errorf("it is still in the stock: %v", left)
			}
		})
	}
	stockAtEachStep(t, db, b)
}

// struck has the making of the tenant wait at a step, be killed, and be done
// again.
func (n newborn) struck(t *testing.T, table string, b blow) {
	t.Helper()
	holder := lockTable(t, n.db, table)
	done := strike(t, n.db, holder, b, func() error { return n.provision(context.Background()) })
	if err := <-done; err == nil {
		t.Error("nobody noticed")
	}
	_ = holder.Close(t.Context()) // its server may be gone
	if left := n.traces(t); left != 0 {
		t.Errorf("%d things are left of the tenant", left)
	}
	noOrphans(t, n.db)
	n.complete(t)
	noOrphans(t, n.db)
}

// tries is how often something is begun over connections that may not know yet
// that their server is gone.
const tries = 20

func insist(do func() error) error {
	err := do()
	for try := 0; try < tries && err != nil; try++ {
		err = do()
	}
	return err
}

// complete makes the tenant.
func (n newborn) complete(t *testing.T) {
	t.Helper()
	if err := insist(func() error { return n.provision(t.Context()) }); err != nil {
		t.Fatal(err)
	}
	var users int
	var schema string
	err := insist(func() error {
		return n.db.Pool.Tenant(n.tenant).Read(t.Context(), func(tx uow.Tx) error {
			return pg.DB(tx).QueryRow(t.Context(), "SELECT count(*), current_schema() FROM users").Scan(&users, &schema)
		})
	})
	want := n.tenant.Schema
	if n.spare != "" {
		want = n.spare
	}
	if err != nil || schema != want || n.traces(t) != 3 {
		t.Errorf("made again in %s: %d traces, %v", schema, n.traces(t), err)
	}
}

// What the claim and the seed of a newborn read, so that they can be stopped.
const (
	claimed = "control.fleet_attempts"
	sown    = "control.fleet_freezes"
)

// newborn is a tenant that is being made.
type newborn struct {
	db     pgtest.DB
	tenant tenancy.Tenant
	spare  string // what it gets out of the stock; "" for a schema of its own
}

func newTenant() tenancy.Tenant {
	id := uuid.Must(uuid.NewV7())
	plain := hex.EncodeToString(id[:])
	return tenancy.Tenant{ID: id, Slug: "newborn-" + plain[20:], Kind: tenancy.Customer, Status: tenancy.Active, Schema: "t_" + plain}
}

func (n newborn) provision(ctx context.Context) error {
	look := func(tx uow.Tx, table string) error {
		_, err := pg.DB(tx).Exec(ctx, "SELECT FROM "+table+" LIMIT 1")
		return err
	}
	return n.db.Migrator.Provision(ctx, pg.Provisioning{
		Schema: n.tenant.Schema, Spare: n.spare != "",
		Claim: func(ctx context.Context, tx uow.Tx) (bool, error) {
			if _, err := registered(n.tenant)(ctx, tx); err != nil {
				return false, err
			}
			return true, look(tx, claimed)
		},
	}, func(tx uow.Tx) error { return look(tx, sown) })
}

// strike begins something that comes to wait for what a holder keeps, and deals it
// the blow then. What ends before is begun again: its connection was to a server
// that is gone.
func strike(t *testing.T, db pgtest.DB, holder *pgx.Conn, b blow, do func() error) (done chan error) {
	t.Helper()
	done = make(chan error, 1)
	var struck atomic.Bool
	go func() {
		err := do()
		for err != nil && !struck.Load() {
			err = do()
		}
		done <- err
	}()
	backend := stuck(t, db)
	struck.Store(true)
	b(t, holder, backend)
	return done
}

// lockTable keeps everybody from changing a table, and from reading one of ours.
func lockTable(t *testing.T, db pgtest.DB, table string) *pgx.Conn {
	t.Helper()
	mode := "SHARE" // logging in reads the catalogs
	if table == claimed || table == sown {
		mode = "ACCESS EXCLUSIVE"
	}
	conn, err := pgx.Connect(t.Context(), db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE "+table+" IN "+mode+" MODE"); err != nil {
		t.Fatal(err)
	}
	return conn
}

// patience is longer than anything here takes on a busy machine.
const patience = 2 * time.Minute

// stuck waits for the migrator to wait, and tells which backend it is.
func stuck(t *testing.T, db pgtest.DB) (backend int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for until := time.Now().Add(patience); backend == 0; {
		if time.Now().After(until) {
			t.Fatal("nobody waits for a lock")
		}
		err := conn.QueryRow(t.Context(), `SELECT coalesce(max(pid), 0) FROM pg_stat_activity
			WHERE application_name = 'insula migrator' AND wait_event_type = 'Lock'`).Scan(&backend)
		if err != nil {
			t.Fatal(err)
		}
	}
	return backend
}

// traces counts the tenant's row, schema and role.
func (n newborn) traces(t *testing.T) int {
	t.Helper()
	return ask[int](t, n.db, `WITH own AS (SELECT schema_name FROM control.tenants WHERE id = $1)
		SELECT (SELECT count(*) FROM own) + (SELECT count(*) FROM pg_namespace JOIN own ON nspname = schema_name)
			+ (SELECT count(*) FROM pg_roles JOIN own ON rolname = schema_name)`, n.tenant.ID)
}

// noOrphans finds no schema and no role that neither a tenant nor the stock has.
func noOrphans(t *testing.T, db pgtest.DB) {
	t.Helper()
	orphans := ask[[]string](t, db, `WITH known AS (SELECT schema_name FROM control.tenants UNION SELECT schema_name FROM control.spares),
		found AS (SELECT nspname::text AS name FROM pg_namespace UNION SELECT rolname FROM pg_roles)
		SELECT coalesce(array_agg(name), '{}') FROM found WHERE name LIKE 't\_%' AND name NOT IN (SELECT schema_name FROM known)`)
	if len(orphans) > 0 {
		t.Errorf("nobody knows of %v", orphans)
	}
}

func ask[T any](t *testing.T, db pgtest.DB, sql string, args ...any) (answer T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
