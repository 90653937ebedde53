// Package gate lets a request in: it verifies the token, finds the tenant,
// and reads in one round trip whether session and user are still good, so
// that ending a session or suspending a user or tenant holds at the next
// request on every node, however long the token is still valid.
package gate

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/expirable"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Session is what must still hold of a token's session.
type Session struct {
	UserID uuid.UUID
	Label  string // the user's e-mail address
	Live   bool   // neither session nor user has ended
	// AccessVersion grows whenever the user's roles change, PolicyVersion
	// whenever what a role of the tenant gives does: together they name what
	// the user may do.
	AccessVersion, PolicyVersion int64
	// Confined says that the user must set up a second factor before anything
	// else: nothing but the own account is open.
	Confined bool
}

// Key is what must hold of an API key.
type Key struct {
	ID         uuid.UUID
	Maker      Session // the user behind the key, live only while the key is
	Operations []string
	Touch      bool // note that it was used
}

// Keys reads the state of API keys. The users module implements it.
type Keys interface {
	// KeyTenant is the tenant that an API key names; false for a token of any
	// other kind.
	KeyTenant(token string) (uuid.UUID, bool)
	// Key returns errs.ErrUnauthenticated for a key that does not exist.
	Key(ctx context.Context, tx uow.Tx, t tenancy.Tenant, token string) (Key, error)
	// TouchKey notes that a key was used.
	TouchKey(ctx context.Context, tx uow.Tx, id uuid.UUID) error
}

// Sessions reads the state of a session. The users module implements it.
// It returns errs.ErrUnauthenticated for a session that does not exist.
type Sessions interface {
	Session(ctx context.Context, tx uow.Tx, t tenancy.Tenant, id uuid.UUID) (Session, error)
}

// Resolver reads what a user may do at a version of the tenant's roles, or at
// a newer one. The roles module implements it.
type Resolver interface {
	Grants(ctx context.Context, tx uow.Tx, t tenancy.Tenant, user uuid.UUID, policy int64) (*authn.Grants, error)
}

// Verifier checks a token by itself; package jwtx has one.
type Verifier interface {
	Verify(token string) (jwtx.Claims, error)
}

// Settings keeps what a process knows of the tenants' settings as new as the
// request that is let in; tenancy.Settings does.
type Settings interface {
	Refresh(ctx context.Context, tx uow.Tx, t tenancy.Tenant) error
}

// Tenants finds tenants, and remembers some; tenancy.Live does.
type Tenants interface {
	tenancy.Directory
	// Known is a tenant that is remembered; nobody is asked for it.
	Known(id uuid.UUID) (tenancy.Tenant, bool)
}

// Gate implements httpx.Gate.
type Gate struct {
	verifier Verifier
	tenants  Tenants
	units    op.Units
	sessions Sessions
	keys     Keys
	tickets  Tickets
	resolver Resolver
	settings Settings
	grants   *expirable.LRU[grantsKey, *authn.Grants]
	holders  *expirable.LRU[secret.Digest, holder]
	lookup   func(hit bool)
	clock    clock.Clock
}

// grantsKey names what a user may do at one version: a newer version is
// another key, so nothing has to be invalidated.
type grantsKey struct {
	tenant, user   uuid.UUID
	access, policy int64
}

// rememberedGrants bounds how many users' grants a process keeps.
const rememberedGrants = 20_000

// New makes the gate of a process.
func New(v Verifier, tenants Tenants, units op.Units, sessions Sessions, keys Keys, tickets Tickets, resolver Resolver, settings Settings, c clock.Clock, m *telemetry.Metrics) *Gate {
	return &Gate{
		verifier: v, tenants: tenants, units: units, sessions: sessions, keys: keys, tickets: tickets, resolver: resolver, settings: settings, clock: c,
		grants: expirable.NewLRU[grantsKey, *authn.Grants](rememberedGrants, nil, 0), lookup: m.Lookups("grants"),
		holders: expirable.NewLRU[secret.Digest, holder](rememberedKeys, nil, 0),
	}
}

// Admit lets in who presents a token. Together with tenancy.ErrMismatch and
// tenancy.ErrAmbiguous it returns the scope of the token, for the record.
func (g *Gate) Admit(ctx context.Context, b scope.Bearer, hints tenancy.Hints, origin authn.Origin) (scope.Request, error) {
	if named, ok := g.keys.KeyTenant(b.Token); ok {
		return g.admitKey(ctx, b.Token, named, hints, origin)
	}
	tenant, disagree := tenancy.FromToken(ctx, g.tenants, b.Who.Tenant.ID, hints)
	if disagree != nil && tenant.ID == uuid.Nil {
		return scope.Request{}, disagree
	}
	return g.admit(ctx, tenant, b.Who.Caller, disagree, origin)
}

// admit looks up the session that a token names. Disagree is what the hints
// say against the tenant; nil when they agree.
func (g *Gate) admit(ctx context.Context, tenant tenancy.Tenant, claimed authn.Caller, disagree error, origin authn.Origin) (scope.Request, error) {
	caller, err := g.caller(ctx, tenant, claimed)
	caller.Origin = origin
	if errors.Is(err, tenancy.ErrSuspended) {
		caller.Grants = nil
		return scope.Request{Tenant: tenant, Caller: caller}, err
	}
	if err != nil {
		return scope.Request{}, err
	}
	return scope.Request{Tenant: tenant, Caller: caller}, disagree
}

// Visit lets in a stranger. Nothing is known of one but the tenant, whose
// settings say how strangers are dealt with.
func (g *Gate) Visit(ctx context.Context, hints tenancy.Hints, origin authn.Origin) (scope.Request, error) {
	tenant, err := tenancy.FromHints(ctx, g.tenants, hints)
	if err != nil {
		return scope.Request{}, err
	}
	err = g.units.Tenant(tenant).Read(ctx, func(tx uow.Tx) error { return g.settings.Refresh(ctx, tx, tenant) })
	if err != nil && !errors.Is(err, tenancy.ErrSuspended) { // which the operation will find, and record
		return scope.Request{}, err
	}
	return scope.Request{Tenant: tenant, Caller: authn.Caller{Kind: authn.Anonymous, Origin: origin}}, nil
}

func (g *Gate) caller(ctx context.Context, t tenancy.Tenant, claimed authn.Caller) (authn.Caller, error) {
	caller := claimed
	err := g.units.Tenant(t).Read(ctx, func(tx uow.Tx) error {
		session, err := g.sessions.Session(ctx, tx, t, claimed.Session)
		if err != nil {
			return err
		}
		if !session.Live || session.UserID != claimed.ID {
			return errs.ErrUnauthenticated
		}
		caller.Label = session.Label
		caller.Policy = session.PolicyVersion
		if caller.Confined = session.Confined; session.Confined {
			return nil
		}
		caller.Grants, err = g.resolve(ctx, tx, t, claimed.ID, session)
		return err
	})
	return caller, err
}

// resolve remembers what a user may do, until a version changes or a role of
// the user's ends.
func (g *Gate) resolve(ctx context.Context, tx uow.Tx, t tenancy.Tenant, user uuid.UUID, s Session) (*authn.Grants, error) {
	key := grantsKey{tenant: t.ID, user: user, access: s.AccessVersion, policy: s.PolicyVersion}
	known, ok := g.grants.Get(key)
	if g.lookup(ok); ok {
		if until := known.Until(); until.IsZero() || g.clock.Now().Before(until) {
			return known, nil
		}
	}
	found, err := g.resolver.Grants(ctx, tx, t, user, s.PolicyVersion)
	if err != nil {
		return nil, err
	}
	g.grants.Add(key, found)
	return found, nil
}
