package service

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Tokens are what a client gets for signing in or refreshing.
type Tokens struct {
	Access    secret.Value
	ExpiresIn time.Duration // of the access token
	Refresh   secret.Value
	Device    secret.Value // by which the next login from here is known; empty after a refresh
}

// Issuer begins sessions and makes their tokens.
type Issuer struct {
	signer   *jwtx.Signer
	sessions domain.Sessions
	policies users.Policies
	key      []byte // from which successors of refresh tokens follow
	clock    clock.Clock
	ids      id.Source
	random   io.Reader
}

// successorLabel names the purpose of the key derived for refresh tokens.
const successorLabel = "insula/refresh-token/v1"

// NewIssuer makes the issuer of a process. All replicas need the same root
// key.
func NewIssuer(signer *jwtx.Signer, sessions domain.Sessions, p users.Policies, root secret.Key, c clock.Clock, ids id.Source, random io.Reader) *Issuer {
	return &Issuer{
		signer: signer, sessions: sessions, policies: p, key: root.Derive(successorLabel, secret.KeySize),
		clock: c, ids: ids, random: random,
	}
}

// begin starts a session of a user.
func (i *Issuer) begin(ctx context.Context, tx uow.Tx, t tenancy.Tenant, u domain.User, from authn.Origin) (Tokens, domain.Session, error) {
	now := i.clock.Now()
	s := domain.Session{
		ID: i.ids.New(), UserID: u.ID, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(i.policies.Of(t).Session),
		Client: from.Client,
	}
	if from.Addr.IsValid() {
		s.Address = from.Addr.String()
	}
	refresh, err := domain.NewToken(i.random)
	if err != nil {
		return Tokens{}, s, err
	}
	if err := i.sessions.Insert(ctx, tx, s); err != nil {
		return Tokens{}, s, err
	}
	if err := i.sessions.AddToken(ctx, tx, domain.DigestOf(refresh), s.ID, now); err != nil {
		return Tokens{}, s, err
	}
	tokens, err := i.tokens(t, s, refresh)
	return tokens, s, err
}

// rotate puts the successor in the place of a refresh token that is used for
// the first time.
func (i *Issuer) rotate(ctx context.Context, tx uow.Tx, s domain.Session, used, successor secret.Value) error {
	now := i.clock.Now()
	if err := i.sessions.UseToken(ctx, tx, domain.DigestOf(used), s.ID, now); err != nil {
		return err
	}
	return i.sessions.AddToken(ctx, tx, domain.DigestOf(successor), s.ID, now)
}

func (i *Issuer) successor(session uuid.UUID, token secret.Value) secret.Value {
	return domain.Successor(i.key, session, token)
}

// tokens signs an access token to go with a refresh token.
func (i *Issuer) tokens(t tenancy.Tenant, s domain.Session, refresh secret.Value) (Tokens, error) {
	now, life := i.clock.Now(), i.policies.Of(t).Access
	access, err := i.signer.Sign(jwtx.Claims{
		TenantID: t.ID, Subject: s.UserID, SessionID: s.ID, ID: i.ids.New(),
		IssuedAt: now, NotBefore: now, Expires: now.Add(life),
	})
	return Tokens{Access: secret.New(access), ExpiresIn: life, Refresh: refresh}, err
}
