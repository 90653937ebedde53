// Package pg is the wall: the only package that turns a tenant into a
// PostgreSQL schema and role, opens transactions, and translates what the
// database answers into declared errors.
//
// One bounded pool serves all tenants, in shards (see shards): a tenant's units
// of work stay on the same few connections. Opening a unit of work, walling it
// into its tenant and running its first statement travel in one round trip,
// and everything set is local to the transaction, so nothing can stay behind
// on a connection that goes back to the pool.
package pg

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// minVersion is the oldest PostgreSQL served, as server_version_num.
const minVersion = 150000

// Options are what a pool needs to know.
type Options struct {
	URL      secret.Value
	MaxConns int32
	// Floor is the oldest version of a tenant's schema that this process can
	// work with (see Floor); a tenant below it is refused for the time being.
	Floor int64
	// Roles says in which role tenants' units of work run, as the migrator that
	// made their schemas says.
	Roles Roles
	// Pooled says that a pooler in transaction mode (PgBouncer) stands between:
	// a connection of ours is another backend for each transaction, so nothing
	// can stay prepared on it.
	Pooled bool
	// Shares says what each tenant may take of the pool; nil limits nobody.
	Shares Shares
	// Spans makes a span of each query; nil makes none.
	Spans trace.TracerProvider
	// Observe is told the name, duration and failure of each query; nil is fine.
	Observe func(query string, took time.Duration, failed bool)
}

// Pool holds the connections of the application's database role, which can
// run no DDL and, by itself, see no tenant.
type Pool struct {
	shards *shards
	roles  Roles
	floor  int64
}

// Open connects and checks that the server is new enough. The caller closes
// the pool.
func Open(ctx context.Context, o Options) (*Pool, error) {
	cfg, err := pgxpool.ParseConfig(o.URL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	if o.MaxConns > 0 {
		cfg.MaxConns = o.MaxConns
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = "insula"
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.Tracer = tracers(o)
	cfg.ConnConfig.StatementCacheCapacity = statementCache
	if !o.Pooled {
		// A plan for a tenant's own statement is made once: rows are found by
		// key. Lists, whose filters vary, say otherwise when they open.
		cfg.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	} else {
		// The description of a statement is the same on every backend: it is
		// kept here, and the statement is parsed anew inside each transaction.
		cfg.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		cfg.ConnConfig.DescriptionCacheCapacity = statementCache
	}
	var opened atomic.Uint64
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		newSession(c, opened.Add(1), o.Pooled)
		registerTypes(c)
		return nil
	}
	cfg.AfterRelease = func(c *pgx.Conn) bool { return !sessionOf(c).worn }
	s, err := openShards(ctx, cfg, o.Pooled, o.Shares)
	if err != nil {
		return nil, fmt.Errorf("database pool: %w", err)
	}
	p := &Pool{shards: s, roles: o.Roles, floor: o.Floor}
	if err := p.checkVersion(ctx); err != nil {
		s.close()
		return nil, err
	}
	return p, nil
}

func (p *Pool) checkVersion(ctx context.Context) error {
	c, err := p.shards.acquire(ctx, nil)
	if err != nil {
		return fmt.Errorf("database connection: %w", err)
	}
	defer c.Release()
	version := c.Conn.Conn().PgConn().ParameterStatus("server_version")
	var major int
	if _, err := fmt.Sscanf(version, "%d", &major); err != nil {
		return fmt.Errorf("database version %q: %w", version, err)
	}
	if major*10000 < minVersion {
		return fmt.Errorf("PostgreSQL %s is too old: %d or newer is needed", version, minVersion/10000)
	}
	return nil
}

// Close waits for running statements and closes every connection.
func (p *Pool) Close() { p.shards.close() }

// Ready reports whether the database answers.
func (p *Pool) Ready(ctx context.Context) error {
	c, err := p.shards.acquire(ctx, nil)
	if err != nil {
		return err
	}
	defer c.Release()
	return c.Ping(ctx)
}

// Stats is the state of the pool, for the metrics.
func (p *Pool) Stats() telemetry.PoolStats {
	var sum telemetry.PoolStats
	for _, part := range p.shards.all {
		s := part.pool.Stat()
		sum.Max += s.MaxConns()
		sum.Open += s.TotalConns()
		sum.InUse += s.AcquiredConns()
		sum.Idle += s.IdleConns()
		sum.Acquired += s.AcquireCount()
		sum.Waited += s.EmptyAcquireCount()
		sum.WaitTime += s.AcquireDuration()
	}
	return sum
}

// Tenant returns a unit of work for one tenant: for one request or one job,
// not for sharing.
func (p *Pool) Tenant(t tenancy.Tenant) uow.Unit {
	return &unit{shards: p.shards, tenant: &t.ID, roles: p.roles, floor: p.floor}
}

// Control returns a unit of work for the control schema, for process-long
// parts such as the tenant directory. No tenant's data is visible in it.
func (p *Pool) Control() ControlUnit { return ControlUnit{&unit{shards: p.shards}} }

// ControlUnit is a unit of work for the control schema: a type of its own, so
// that nothing can take it for a tenant's.
type ControlUnit struct{ uow.Unit }
