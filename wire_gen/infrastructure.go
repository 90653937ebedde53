package wiregen

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/insulahq/insula/modules/audit/auditmodule"
	filesinfra "github.com/insulahq/insula/modules/files/infra"
	rolesinfra "github.com/insulahq/insula/modules/roles/infra"
	"github.com/insulahq/insula/modules/tenants"
	tenantsdomain "github.com/insulahq/insula/modules/tenants/domain"
	tenantsinfra "github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/modules/tenants/tenantsmodule"
	"github.com/insulahq/insula/modules/usage"
	usageinfra "github.com/insulahq/insula/modules/usage/infra"
	usersinfra "github.com/insulahq/insula/modules/users/infra"
	usersservice "github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
	"github.com/insulahq/insula/sql/migrations"
)

// Doubles are the parts that a test of the whole house replaces.
type Doubles struct {
	Clock  clock.Clock
	IDs    id.Source
	Random io.Reader
	Blobs  s3x.Blobs
	Mail   mailx.Sender
}

func newLogger(w io.Writer, c config.Config) *slog.Logger { return telemetry.NewLogger(w, c.Log) }

func newMetrics(r *prometheus.Registry) *telemetry.Metrics { return telemetry.NewMetrics(r) }

func newTraces(ctx context.Context, c config.Config, log *slog.Logger) (*telemetry.Traces, func(), error) {
	t, err := telemetry.NewTraces(ctx, c.Trace)
	if err != nil {
		return nil, nil, err
	}
	return t, func() {
		if err := t.Close(); err != nil {
			log.WarnContext(context.WithoutCancel(ctx), "traces", "error", err)
		}
	}, nil
}

// spansOf is nil where spans would go nowhere: making none is cheaper than
// making empty ones.
func spansOf(t *telemetry.Traces) trace.TracerProvider {
	if !t.On() {
		return nil
	}
	return t
}

func newPool(ctx context.Context, c config.Config, shares pg.Shares, m *telemetry.Metrics, t *telemetry.Traces) (*pg.Pool, func(), error) {
	floor, err := pg.Floor(migrations.Tenant)
	if err != nil {
		return nil, nil, err
	}
	others := map[string]secret.Value{}
	for _, p := range c.Database.Placements {
		others[p.Name] = p.URL
	}
	pool, err := pg.Open(ctx, pg.Options{
		URL: c.Database.URL, Placements: others, MaxConns: int32(c.Database.MaxConns), Pooled: c.Database.Pooled, Observe: m.ObserveQuery,
		Spans: spansOf(t), Floor: floor, Shares: shares, Roles: RolesOf(c.Database),
		BackendMemory: c.Database.BackendMemory,
	})
	if err != nil {
		return nil, nil, err
	}
	for _, name := range pool.Placements() {
		m.RegisterPool(name, func() telemetry.PoolStats { return pool.Stats(name) })
	}
	return pool, pool.Close, nil
}

// newLive remembers tenants, and forgets those that are found to have moved.
func newLive(d *tenantsinfra.Directory, pool *pg.Pool, m *telemetry.Metrics) *tenancy.Live {
	live := tenantsmodule.NewLive(d, m)
	pool.OnStray(live.Forget)
	return live
}

// newFresh asks in a tenant, served or suspended, what its settings are.
func newFresh(pool *pg.Pool, s *tenancy.Settings) tenancy.Fresh {
	return func(ctx context.Context, t tenancy.Tenant) (setting.Values, error) {
		err := pool.Tenant(t).Look(ctx, func(tx uow.Tx) error { return s.Refresh(ctx, tx, t) })
		return s.Of(t), err
	}
}

// newShares says what share of the database each tenant has.
func newShares(s *tenancy.Settings) pg.Shares {
	return func(t uuid.UUID) pg.Share {
		in := s.Of(tenancy.Tenant{ID: t})
		return pg.Share{
			Units: int(tenants.Units.In(in)), Waiting: int(tenants.Waiting.In(in)),
			Statement: tenants.StatementTimeout.In(in), Lock: tenants.LockTimeout.In(in),
		}
	}
}

// newControl opens units of work for the control schema.
func newControl(pool *pg.Pool) func() pg.ControlUnit { return pool.Control }

func newMigrator(ctx context.Context, c config.Config, metrics *telemetry.Metrics) (*pg.Migrator, func(), error) {
	m, err := pg.OpenMigrator(ctx, c.Database.MigratorURL, migrations.Control, migrations.Tenant)
	if err != nil {
		return nil, nil, err
	}
	metrics.RegisterPool("migrator of main", m.Stats)
	return m.WithRoles(RolesOf(c.Database)), m.Close, nil
}

// withoutMetrics is for commands that nobody scrapes.
func withoutMetrics() *telemetry.Metrics { return nil }

// newPlacements makes the migrators of all databases that house tenants.
func newPlacements(ctx context.Context, c config.Config, main *pg.Migrator, metrics *telemetry.Metrics) (*pg.Placements, func(), error) {
	others := map[string]*pg.Migrator{}
	closing := func() {
		for _, m := range others {
			m.Close()
		}
	}
	for _, p := range c.Database.Placements {
		m, err := pg.OpenMigrator(ctx, p.MigratorURL, migrations.Control, migrations.Tenant)
		if err != nil {
			closing()
			return nil, nil, fmt.Errorf("placement %s: %w", p.Name, err)
		}
		metrics.RegisterPool("migrator of "+p.Name, m.Stats)
		others[p.Name] = m.WithRoles(RolesOf(c.Database))
	}
	return pg.NewPlacements(main, others), closing, nil
}

// newOwners opens the control schema of a placement for who keeps it.
func newOwners(p *pg.Placements) tenantsinfra.Owners {
	return func(placement string) (pg.ControlUnit, error) {
		m, err := p.Of(placement)
		if err != nil {
			return pg.ControlUnit{}, err
		}
		return m.Control(), nil
	}
}

// RolesOf says in which role tenants' units of work run.
func RolesOf(d config.Database) pg.Roles {
	if d.TenantRoles {
		return pg.RolePerTenant
	}
	return pg.OneRole
}

// newOwnerControl and newFoundry join modules with the migrator: they hold what
// it opens, never itself.
func newOwnerControl(m *pg.Migrator) tenantsinfra.OwnerControl { return m.Control }

func newFoundry(all *pg.Placements, j *op.Jobs) tenantsmodule.Foundry {
	return func(t tenancy.Tenant, d op.Def, p pg.Provisioning) *op.Runner {
		return j.RunnerOn(t, d, pg.NewProvisioningUnit(all, t.Home(), p))
	}
}

// newCarriers copies tenants on connections of its own.
func newCarriers(ctx context.Context, p *pg.Placements) (*pg.Carriers, func(), error) {
	c, err := p.Carriers(ctx)
	if err != nil {
		return nil, nil, err
	}
	return c, c.Close, nil
}

// newKeepers are the modules that keep content in the object store, and
// newSettlers those whose rows must be put right in another schema.
func newKeepers(f *filesinfra.Keeper) []tenants.Keeper { return []tenants.Keeper{f} }

func newSettlers(r *rolesinfra.Settler) []tenants.Settler { return []tenants.Settler{r} }

func newRedis(c config.Config, now clock.Clock, t *telemetry.Traces) (*redisx.Client, func(), error) {
	client, err := redisx.Open(c.Redis.URL, now)
	if err != nil {
		return nil, nil, err
	}
	if t.On() {
		if err := client.Trace(t); err != nil {
			return nil, nil, err
		}
	}
	return client, func() { _ = client.Close() }, nil // nothing is lost with a cache
}

func newLimiter(client *redisx.Client, now clock.Clock, m *telemetry.Metrics) *redisx.Limiter {
	return redisx.NewLimiter(client, "http", now, m)
}

func newBlobs(ctx context.Context, c config.Config, now clock.Clock) (*s3x.Store, error) {
	return s3x.Open(ctx, c.S3, now)
}

func newMail(c config.Config, now clock.Clock, ids id.Source) (*mailx.SMTP, error) {
	return mailx.Open(mailx.Options{URL: c.Mail.URL, From: c.Mail.From, Clock: now, IDs: ids})
}

func newLinks(c config.Config) mailx.Links {
	docs := c.HTTP.PublicURL + "/docs"
	return mailx.Links{
		Invitation: cmp.Or(c.Mail.Invitation, docs), Reset: cmp.Or(c.Mail.Reset, docs), Email: cmp.Or(c.Mail.Email, docs),
	}
}

func newRandom() io.Reader { return rand.Reader }

// newCursors signs cursors with a key of its own, so that a cursor can never
// pass for anything else that the root key signs.
func newCursors(c config.Config) *page.Codec {
	return page.NewCodec(c.Security.SecretKey.Derive("insula cursors", 32))
}

// newSeeders is the order in which modules seed a new tenant: the first user
// needs the roles.
func newSeeders(r *rolesinfra.Seeder, u *usersservice.Founding) []tenants.Seeder {
	return []tenants.Seeder{r, u}
}

// newMeters is the order in which is told what a tenant has.
func newMeters(u *usersinfra.Users, f *filesinfra.Repository) []usage.Meter {
	return []usage.Meter{u, f, usageinfra.Database{}}
}

// newLandlord finds the operator's tenant.
func newLandlord(d *tenantsinfra.Directory) usersservice.Landlord {
	return func(ctx context.Context) (tenancy.Tenant, bool, error) {
		t, err := d.Landlord(ctx)
		if errors.Is(err, tenantsdomain.ErrNotFound) {
			return tenancy.Tenant{}, false, nil
		}
		return t.Tenant, err == nil, err
	}
}

// newTrails lists the tenants whose trails are sealed.
func newTrails(d *tenantsinfra.Directory) auditmodule.Tenants { return d.ServedTenants }

// liveScopes bounds the tenants whose scopes are kept.
const liveScopes = 10_000

func newScopes() (*lru.Cache[uuid.UUID, *Tenant], error) {
	return lru.New[uuid.UUID, *Tenant](liveScopes)
}

func newLimits(c config.Limits, s *tenancy.Settings) httpx.Limits {
	perSecond := func(rate int) redisx.Limit { return redisx.Limit{Rate: rate, Burst: rate, Period: time.Second} }
	return httpx.Limits{
		Tenant:  func(t tenancy.Tenant) redisx.Limit { return perSecond(int(tenants.RequestRate.In(s.Of(t)))) },
		User:    perSecond(c.RateUser),
		Proof:   perSecond(c.RateUser),
		Network: redisx.Limit{Rate: c.RateLogin, Burst: c.RateLogin, Period: time.Minute},
	}
}

func networks(prefixes []netip.Prefix) []*net.IPNet {
	out := make([]*net.IPNet, len(prefixes))
	for i, p := range prefixes {
		out[i] = &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
	}
	return out
}
