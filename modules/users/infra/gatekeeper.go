package infra

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra/internal/usersdb"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/gate"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Gatekeeper implements gate.Sessions and gate.Keys: on every request it
// tells, in one query, whether session or key and user still count.
type Gatekeeper struct {
	q        *usersdb.Queries
	policies users.Policies
	settings Settings
	clock    clock.Clock
}

// Settings is told the version of a tenant's settings that a request was let
// in under, before anything is decided by them; tenancy.Settings implements it.
type Settings interface {
	Learn(ctx context.Context, tx uow.Tx, t tenancy.Tenant, version int64) error
}

// NewGatekeeper makes the gatekeeper of a process.
func NewGatekeeper(p users.Policies, s Settings, c clock.Clock) *Gatekeeper {
	return &Gatekeeper{q: usersdb.New(), policies: p, settings: s, clock: c}
}

// Session implements gate.Sessions.
func (g *Gatekeeper) Session(ctx context.Context, tx uow.Tx, t tenancy.Tenant, id uuid.UUID) (gate.Session, error) {
	now := g.clock.Now()
	row, err := g.q.SessionState(ctx, pg.DB(tx), now, id)
	if err != nil {
		return gate.Session{}, pg.Translate(err, errs.ErrUnauthenticated, nil)
	}
	if err := g.settings.Learn(ctx, tx, t, row.SettingsVersion); err != nil {
		return gate.Session{}, err
	}
	policy := g.policies.Of(t)
	return gate.Session{
		UserID: row.UserID, Label: row.Email, Live: row.Live && row.LastUsedAt.After(policy.IdleSince(now)),
		AccessVersion: row.AccessVersion, PolicyVersion: row.PolicyVersion,
		Confined: policy.SecondFactor && !row.SecondFactor,
	}, nil
}

// KeyTenant implements gate.Keys.
func (g *Gatekeeper) KeyTenant(token string) (uuid.UUID, bool) { return domain.KeyTenant(token) }

// lastUsed is how coarse the note of a key's last use is: a key that is busy
// costs a write an hour, not one a request.
const lastUsed = time.Hour

// Key implements gate.Keys.
func (g *Gatekeeper) Key(ctx context.Context, tx uow.Tx, t tenancy.Tenant, token string) (gate.Key, error) {
	digest, now := domain.DigestOf(secret.New(token)), g.clock.Now()
	row, err := g.q.APIKeyState(ctx, pg.DB(tx), now, digest[:])
	if err != nil {
		return gate.Key{}, pg.Translate(err, errs.ErrUnauthenticated, nil)
	}
	if err := g.settings.Learn(ctx, tx, t, row.SettingsVersion); err != nil {
		return gate.Key{}, err
	}
	return gate.Key{
		ID: row.ID, Operations: row.Operations,
		Maker: gate.Session{
			UserID: row.UserID, Label: row.Email + " with key " + row.Name, Live: row.Live,
			AccessVersion: row.AccessVersion, PolicyVersion: row.PolicyVersion,
		},
		Touch: row.LastUsedAt == nil || now.Sub(*row.LastUsedAt) >= lastUsed,
	}, nil
}

// TouchKey implements gate.Keys.
func (g *Gatekeeper) TouchKey(ctx context.Context, tx uow.Tx, id uuid.UUID) error {
	return pg.Translate(g.q.TouchAPIKey(ctx, pg.DB(tx), g.clock.Now().Truncate(lastUsed), id), nil, nil)
}
