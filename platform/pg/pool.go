// Package pg is the wall: the only package that turns a tenant into a
// PostgreSQL schema and role, opens transactions, and translates what the
// database answers into declared errors.
//
// One bounded pool serves all tenants of a database, in shards (see shards): a
// tenant's units of work stay on the same few connections. Opening a unit of work, walling it
// into its tenant and running its first statement travel in one round trip,
// and everything set is local to the transaction, so nothing can stay behind
// on a connection that goes back to the pool.
package pg

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"

	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// minVersion is the oldest major version of PostgreSQL that is worked with.
const minVersion = 15

// Options are what a pool needs to know.
type Options struct {
	URL      secret.Value // of the main placement
	MaxConns int32        // to each placement
	// Placements are the other databases that house tenants, by name. One that
	// is away takes nothing with it but its own tenants.
	Placements map[string]secret.Value
	// BackendMemory bounds what a backend may hold, in bytes, before its
	// connection is replaced; 0 is DefaultBackendMemory.
	BackendMemory int64
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
	shards *shards            // of the main placement
	placed map[string]*shards // of the others
	roles  Roles
	floor  int64
	strays atomic.Pointer[func(tenant uuid.UUID)]
}

// Open connects to the main placement. The others are connected to when they are
// needed. A server that is too old is refused by each connection. The caller closes the pool.
func Open(ctx context.Context, o Options) (*Pool, error) {
	p := &Pool{placed: map[string]*shards{}, roles: o.Roles, floor: o.Floor}
	main, err := openPlacement(ctx, o, o.URL)
	if err != nil {
		return nil, err
	}
	p.shards = main
	if err := main.ready(ctx); err != nil {
		p.Close()
		return nil, fmt.Errorf("database connection: %w", err)
	}
	for name, url := range o.Placements {
		if p.placed[name], err = openPlacement(ctx, o, url); err != nil {
			delete(p.placed, name)
			p.Close()
			return nil, fmt.Errorf("placement %s: %w", name, err)
		}
	}
	return p, nil
}

// connectTimeout bounds how long a request waits for a placement that does not
// even refuse, unless the URL says otherwise.
const connectTimeout = 5 * time.Second

// connLifetime is how old a connection gets at least, and by how much more at
// most. Those that were opened together so do not end together: each takes what
// its backend knows of its tenants along.
const connLifetime = 12 * time.Hour

// openPlacement prepares the connections to one database.
func openPlacement(ctx context.Context, o Options, url secret.Value) (*shards, error) {
	cfg, err := pgxpool.ParseConfig(url.Reveal())
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	if o.MaxConns > 0 {
		cfg.MaxConns = o.MaxConns
	}
	if cfg.ConnConfig.ConnectTimeout == 0 {
		cfg.ConnConfig.ConnectTimeout = connectTimeout
	}
	cfg.MaxConnLifetime, cfg.MaxConnLifetimeJitter = connLifetime, connLifetime
	cfg.ConnConfig.RuntimeParams["application_name"] = "insula"
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.Tracer = tracers(o)
	cfg.ConnConfig.StatementCacheCapacity = statementCache
	if !o.Pooled {
		cfg.ConnConfig.BuildContextWatcherHandler = cancelling
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
	var learned dictionary
	turns := &turnover{}
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		if err := newEnough(c.PgConn().ParameterStatus("server_version")); err != nil {
			return err
		}
		limit := wearLimit(o.BackendMemory, opened.Add(1))
		c.PgConn().CustomData()[sessionKey] = newSession(&learned, turns, limit, o.Pooled)
		registerTypes(c)
		return nil
	}
	s, err := openShards(ctx, cfg, turns, o.Pooled, o.Shares)
	if err != nil {
		return nil, fmt.Errorf("database pool: %w", err)
	}
	return s, nil
}

// newEnough refuses a server, by what it says its version is, that is too old to
// be worked with.
func newEnough(version string) error {
	var major int
	if _, err := fmt.Sscanf(version, "%d", &major); err != nil {
		return fmt.Errorf("database version %q: %w", version, err)
	}
	if major < minVersion {
		return fmt.Errorf("PostgreSQL %s is too old: %d or newer is needed", version, minVersion)
	}
	return nil
}

// Close waits for running statements and closes every connection.
func (p *Pool) Close() {
	for _, s := range p.everywhere() {
		s.close()
	}
}

// Ready reports whether the main placement answers. The others are needed by
// their own tenants alone.
func (p *Pool) Ready(ctx context.Context) error { return p.shards.ready(ctx) }

// PlacementReady reports whether a placement answers; tenancy.ErrUnplaced for
// one that this pool does not know.
func (p *Pool) PlacementReady(ctx context.Context, name string) error {
	s := p.at(name)
	if s == nil {
		return tenancy.ErrUnplaced
	}
	return s.ready(ctx)
}

// Placements are the names of the placements, the main one first.
func (p *Pool) Placements() []string {
	return append([]string{tenancy.MainPlacement}, slices.Sorted(maps.Keys(p.placed))...)
}

// at is the connections to a placement; nil for one that nobody told of.
func (p *Pool) at(placement string) *shards {
	if placement == tenancy.MainPlacement {
		return p.shards
	}
	return p.placed[placement]
}

// Stats is the state of the pool to a placement, for the metrics.
func (p *Pool) Stats(placement string) telemetry.PoolStats {
	if s := p.at(placement); s != nil {
		return s.stats()
	}
	return telemetry.PoolStats{}
}

// OnStray has fn told of each tenant that was looked for in the wrong
// placement, because it has moved: what is remembered of it is stale.
func (p *Pool) OnStray(fn func(tenant uuid.UUID)) { p.strays.Store(&fn) }

// Tenant returns a unit of work for one tenant: for one request or one job,
// not for sharing.
func (p *Pool) Tenant(t tenancy.Tenant) uow.Unit { return p.unit(t) }

func (p *Pool) unit(t tenancy.Tenant) *unit {
	return &unit{pool: p, shards: p.at(t.Home()), placement: t.Home(), tenant: &t.ID, roles: p.roles, floor: p.floor}
}

// Ahead makes units of work that read in tenants before anybody asks: their reads
// of one row do not count as requests of the tenant.
func (p *Pool) Ahead() Ahead { return Ahead{p} }

// Ahead makes units of work (see Pool.Ahead).
type Ahead struct{ pool *Pool }

// Tenant is as Pool.Tenant.
func (a Ahead) Tenant(t tenancy.Tenant) uow.Unit {
	u := a.pool.unit(t)
	u.ahead = true
	return u
}

// Control returns a unit of work for the control schema, for process-long
// parts such as the tenant directory. No tenant's data is visible in it.
func (p *Pool) Control() ControlUnit { return ControlUnit{&unit{shards: p.shards}} }

// ControlUnit is a unit of work for the control schema: a type of its own, so
// that nothing can take it for a tenant's.
type ControlUnit struct{ uow.Unit }
