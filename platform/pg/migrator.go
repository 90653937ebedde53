package pg

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/pg/migrate"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Migrator makes, changes and drops schemas. It has its own few connections
// as the role that owns them; requests never run on these.
type Migrator struct {
	pool    *pgxpool.Pool
	control *migrate.Dir
	tenant  *migrate.Dir
	roles   Roles
	// placement is what the registry calls the database.
	placement string
}

// migratorConns bounds how many schemas are worked on at once.
const migratorConns = 4

// ownSettings are the settings of the owner's connections, whatever those of the
// server and the database are. Copying a large tenant takes its time, and COPY
// writes values in the forms that these say: an archive must mean the same
// wherever it is read.
var ownSettings = map[string]string{
	"timezone": "UTC", "datestyle": "ISO, MDY", "intervalstyle": "postgres", "extra_float_digits": "1", "bytea_output": "hex",
	"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0", "idle_session_timeout": "0",
}

// OpenMigrator reads the migrations and prepares to connect; it does not
// connect yet, so that serving does not depend on it.
func OpenMigrator(ctx context.Context, url secret.Value, control, tenant fs.FS) (*Migrator, error) {
	cfg, err := pgxpool.ParseConfig(url.Reveal())
	if err != nil {
		return nil, fmt.Errorf("migrator URL: %w", err)
	}
	cfg.MaxConns = migratorConns
	cfg.ConnConfig.RuntimeParams["application_name"] = "insula migrator"
	maps.Copy(cfg.ConnConfig.RuntimeParams, ownSettings)
	// Each statement is for one schema once: preparing it would only cost.
	cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		registerTypes(c)
		return nil
	}
	m := &Migrator{placement: tenancy.MainPlacement}
	if m.control, err = migrate.Load(control); err != nil {
		return nil, fmt.Errorf("control migrations: %w", err)
	}
	if m.tenant, err = migrate.Load(tenant); err != nil {
		return nil, fmt.Errorf("tenant migrations: %w", err)
	}
	if err := numbered(m.tenant); err != nil {
		return nil, fmt.Errorf("tenant migrations: %w", err)
	}
	if m.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return nil, fmt.Errorf("migrator pool: %w", err)
	}
	return m, nil
}

// Wide returns a migrator with as many connections as are to work at once. The
// caller closes it; what it was made of stays open.
func (m *Migrator) Wide(ctx context.Context, conns int32) (*Migrator, error) {
	cfg := m.pool.Config().Copy()
	cfg.MaxConns = conns
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("migrator pool: %w", err)
	}
	other := *m
	other.pool = pool
	return &other, nil
}

// WithRoles returns a migrator on the same connections that gives rights in
// tenants' schemas in another way. A pool that serves them is opened alike.
func (m *Migrator) WithRoles(r Roles) *Migrator {
	other := *m
	other.roles = r
	return &other
}

// WithPlacement returns a migrator on the same connections that knows the name
// of the placement that its database is; without, it is the main one.
func (m *Migrator) WithPlacement(name string) *Migrator {
	other := *m
	other.placement = name
	return &other
}

// Stats is the state of the connections, for the metrics.
func (m *Migrator) Stats() telemetry.PoolStats { return one(m.pool).stats() }

// Close closes the connections.
func (m *Migrator) Close() { m.pool.Close() }

// Control returns a unit of work for the control schema with the owner's
// rights, for jobs that finish what an operation began.
func (m *Migrator) Control() ControlUnit { return ControlUnit{&unit{shards: one(m.pool)}} }

// TenantVersion is the newest version of a tenant's schema, 0 when there are no
// migrations.
func (m *Migrator) TenantVersion() int64 {
	n, _ := number(m.tenant.Version()) // OpenMigrator has looked at them all
	return n
}

// UpgradeControl brings the control schema to the newest version and returns
// the versions applied.
func (m *Migrator) UpgradeControl(ctx context.Context) ([]string, error) {
	applied, err := m.upgradeCopy(ctx)
	if err != nil {
		return applied, err
	}
	return applied, m.upgradeQueue(ctx)
}

// upgradeCopy is UpgradeControl for a placement that is not the main one: it
// has no job queue.
func (m *Migrator) upgradeCopy(ctx context.Context) ([]string, error) {
	conn, err := m.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	applied, err := m.control.ApplyControl(ctx, conn.Conn())
	if err != nil {
		return applied, err
	}
	return applied, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return grantControl(ctx, tx, m.roles) })
}

// upgradeAttempts is how often UpgradeTenant tries when the schema is in use:
// a lock that is not to be had in seconds, or a deadlock, is usually gone soon.
const (
	upgradeAttempts = 3
	upgradePause    = time.Second
)

// UpgradeTenant brings one tenant's schema to the newest version and returns
// the versions applied. Schema, rights, history and the version in the control
// schema change in one transaction; also runs in it, when that is the last one
// and the schema is complete. Only migrations that must run outside one make
// several; after a failure among these the next call goes on.
func (m *Migrator) UpgradeTenant(ctx context.Context, schema string, also func(tx uow.Tx) error) ([]string, error) {
	var applied []string
	for attempt := 1; ; attempt++ {
		done, err := m.upgradeTenant(ctx, schema, also)
		applied = append(applied, done...)
		if err == nil || attempt == upgradeAttempts || !repeatable(err) {
			return applied, err
		}
		select {
		case <-ctx.Done():
			return applied, ctx.Err()
		case <-time.After(upgradePause):
		}
	}
}

func (m *Migrator) upgradeTenant(ctx context.Context, schema string, also func(tx uow.Tx) error) ([]string, error) {
	conn, err := m.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	return m.tenant.Upgrade(ctx, conn.Conn(), schema, func(tx pgx.Tx, version string) error {
		n, err := number(version)
		if err != nil {
			return err
		}
		if err := grantTenant(ctx, tx, schema, m.roles); err != nil {
			return err
		}
		if err := pgdb.New().SetSchemaVersion(ctx, tx, n, schema); err != nil {
			return err
		}
		if also == nil || version != m.tenant.Version() {
			return nil
		}
		return also(&ownerTx{tx: tx})
	})
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
