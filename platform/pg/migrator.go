package pg

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/insulahq/insula/platform/pg/migrate"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// Migrator makes, changes and drops schemas. It has its own few connections
// as the role that owns them; requests never run on these.
type Migrator struct {
	pool    *pgxpool.Pool
	control *migrate.Dir
	tenant  *migrate.Dir
}

// migratorConns bounds how many schemas are worked on at once.
const migratorConns = 4

// OpenMigrator reads the migrations and prepares to connect; it does not
// connect yet, so that serving does not depend on it.
func OpenMigrator(ctx context.Context, url secret.Value, control, tenant fs.FS) (*Migrator, error) {
	cfg, err := pgxpool.ParseConfig(url.Reveal())
	if err != nil {
		return nil, fmt.Errorf("migrator URL: %w", err)
	}
	cfg.MaxConns = migratorConns
	cfg.ConnConfig.RuntimeParams["application_name"] = "insula migrator"
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	// Each statement is for one schema once: preparing it would only cost.
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		registerTypes(c)
		return nil
	}
	m := &Migrator{}
	if m.control, err = migrate.Load(control); err != nil {
		return nil, fmt.Errorf("control migrations: %w", err)
	}
	if m.tenant, err = migrate.Load(tenant); err != nil {
		return nil, fmt.Errorf("tenant migrations: %w", err)
	}
	if m.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("migrator pool: %w", err)
	}
	return m, nil
}

// Close closes the connections.
func (m *Migrator) Close() { m.pool.Close() }

// Control returns a unit of work for the control schema with the owner's
// rights, for jobs that finish what an operation began.
func (m *Migrator) Control() ControlUnit { return ControlUnit{&unit{shards: one(m.pool)}} }

// TenantVersion is the newest version of a tenant's schema.
func (m *Migrator) TenantVersion() string { return m.tenant.Version() }

// UpgradeControl brings the control schema to the newest version and returns
// the versions applied.
func (m *Migrator) UpgradeControl(ctx context.Context) ([]string, error) {
	conn, err := m.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	applied, err := m.control.ApplyControl(ctx, conn.Conn())
	if err != nil {
		return applied, err
	}
	if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return grantControl(ctx, tx) }); err != nil {
		return applied, err
	}
	return applied, m.upgradeQueue(ctx)
}

// Provisioning says how to make a tenant's schema.
type Provisioning struct {
	Schema   string // its schema and its role
	Landlord bool   // its role may change the registry
	// Claim runs first; false means that there is nothing left to do.
	Claim func(ctx context.Context, tx uow.Tx) (bool, error)
	// Witness names the schema whose trail hears of a failure: the new one is
	// not there then.
	Witness func(ctx context.Context) (schema string, err error)
}

// Provision makes role, schema, tables, rights and, with seed, first rows in
// one transaction: after a crash the tenant is complete or was never begun.
func (m *Migrator) Provision(ctx context.Context, p Provisioning, seed func(tx uow.Tx) error) error {
	return pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		owner := &ownerTx{tx: tx}
		if ok, err := p.Claim(ctx, owner); err != nil || !ok {
			return err
		}
		err := execAll(ctx, tx, []string{
			"CREATE ROLE " + ident(p.Schema) + " NOLOGIN",
			"GRANT " + ident(p.Schema) + " TO " + ident(AppRole),
			"CREATE SCHEMA " + ident(p.Schema),
		})
		if err != nil {
			return err
		}
		if _, err := m.tenant.Apply(ctx, tx, p.Schema); err != nil {
			return err
		}
		if err := grantTenant(ctx, tx, p.Schema); err != nil {
			return err
		}
		if p.Landlord {
			if err := grantLandlord(ctx, tx, p.Schema); err != nil {
				return err
			}
		}
		if err := setSearchPath(ctx, tx, p.Schema); err != nil {
			return err
		}
		return seed(owner)
	})
}

// UpgradeTenant brings one tenant's schema to the newest version in one
// transaction and returns the versions applied.
func (m *Migrator) UpgradeTenant(ctx context.Context, schema string) (applied []string, err error) {
	err = pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		if applied, err = m.tenant.Apply(ctx, tx, schema); err != nil {
			return err
		}
		if len(applied) == 0 {
			return nil
		}
		return grantTenant(ctx, tx, schema)
	})
	return applied, err
}

func setSearchPath(ctx context.Context, tx pgx.Tx, schema string) error {
	_, err := tx.Exec(ctx, "SELECT set_config('search_path', $1, true)", schema)
	return err
}

// ownerTx is a uow.Tx with the owner's rights, for seeding a new schema.
type ownerTx struct {
	common
	tx pgx.Tx
}

func (t *ownerTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return t.tx.Exec(ctx, sql, args...)
}

func (t *ownerTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return t.tx.Query(ctx, sql, args...)
}

func (t *ownerTx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return t.tx.QueryRow(ctx, sql, args...)
}
