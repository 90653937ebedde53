package pg_test

import (
	"context"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// TestKillWhileATenantIsMade stops the making of a tenant at each of its steps
// and kills its backend. Nothing of the tenant is left, and made again it is
// complete.
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

// atEachStep has the making of a tenant wait at each of its steps and then be
// killed by a blow.
func atEachStep(t *testing.T, db pgtest.DB, blow func(t *testing.T, holder *pgx.Conn, backend int)) {
	t.Helper()
	for step, table := range map[string]string{
		"claiming":          claimed,
		"making the role":   "pg_authid",
		"making the schema": "pg_namespace",
		"making the tables": "pg_constraint",
		"sowing the rows":   sown,
	} {
		t.Run(step, func(t *testing.T) {
			n := newborn{db: db, tenant: newTenant()}
			holder := lockTable(t, db, table)
			done := make(chan error, 1)
			go func() { done <- n.provision(context.Background()) }()
			blow(t, holder, n.stuck(t))
			if err := <-done; err == nil {
				t.Error("nobody noticed")
			}
			_ = holder.Close(t.Context()) // its server may be gone
			if left := n.traces(t); left != 0 {
				t.Errorf("%d things are left of the tenant", left)
			}
			n.complete(t)
		})
	}
}

// complete makes the tenant, over connections that may not know yet that their
// server is gone.
func (n newborn) complete(t *testing.T) {
	t.Helper()
	err := n.provision(t.Context())
	for try := 0; try < 20 && err != nil; try++ {
		err = n.provision(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	var users int
	count := func() error {
		return n.db.Pool.Tenant(n.tenant).Read(t.Context(), func(tx uow.Tx) error {
			return pg.DB(tx).QueryRow(t.Context(), "SELECT count(*) FROM users").Scan(&users)
		})
	}
	err = count()
	for try := 0; try < 20 && err != nil; try++ {
		err = count()
	}
	if err != nil || n.traces(t) != 3 {
		t.Errorf("made again: %d traces, %v", n.traces(t), err)
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
		Schema: n.tenant.Schema,
		Claim: func(ctx context.Context, tx uow.Tx) (bool, error) {
			_, err := pg.DB(tx).Exec(ctx, `INSERT INTO control.tenants
				(id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at)
				VALUES ($1, $2, $2, $3, $4, $5, 'a@example.com', 1, $6, $6)`,
				n.tenant.ID, n.tenant.Slug, string(n.tenant.Kind), string(n.tenant.Status), n.tenant.Schema, time.Now().UTC())
			if err != nil {
				return false, err
			}
			return true, look(tx, claimed)
		},
	}, func(tx uow.Tx) error { return look(tx, sown) })
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

// stuck waits for the migrator to wait, and tells which backend it is.
func (n newborn) stuck(t *testing.T) (backend int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), n.db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for backend == 0 {
		err := conn.QueryRow(t.Context(), `SELECT coalesce(max(pid), 0) FROM pg_stat_activity
			WHERE application_name = 'insula migrator' AND wait_event_type = 'Lock'`).Scan(&backend)
		if err != nil {
			t.Fatal(err)
		}
	}
	return backend
}

// traces counts the tenant's row, schema and role.
func (n newborn) traces(t *testing.T) (count int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), n.db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	err = conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM control.tenants WHERE schema_name = $1)
		+ (SELECT count(*) FROM pg_namespace WHERE nspname = $1) + (SELECT count(*) FROM pg_roles WHERE rolname = $1)`, n.tenant.Schema).Scan(&count)
	if err != nil {
		t.Fatal(err)
	}
	return count
}
