package service

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// Access is what the services share that deal with proofs of identity. It
// lives as long as the process.
type Access struct {
	*Directory
	Hasher   domain.Hasher // tests count by another
	sessions domain.Sessions
	tokens   domain.OneTimeTokens
	factors  domain.SecondFactors
	attempts domain.Attempts
	policies users.Policies
	post     *Post
	issuer   *Issuer
	random   io.Reader

	deviceKey    []byte
	challengeKey secret.Key
}

// Labels of the keys that are derived for known devices and for the second
// step of a login.
const (
	deviceLabel    = "insula/device/v1"
	challengeLabel = "insula/challenge/v1"
)

// Guards are the repositories that Access needs, and the hasher.
type Guards struct {
	Sessions domain.Sessions
	Tokens   domain.OneTimeTokens
	Factors  domain.SecondFactors
	Attempts domain.Attempts
	Hasher   domain.Hasher
	Policies users.Policies
}

// NewAccess makes what the services of a process share. All replicas need the
// same root key.
func NewAccess(d *Directory, g Guards, p *Post, i *Issuer, root secret.Key, random io.Reader) *Access {
	return &Access{
		Directory: d, sessions: g.Sessions, tokens: g.Tokens, factors: g.Factors, attempts: g.Attempts,
		Hasher: g.Hasher, policies: g.Policies, post: p, issuer: i, random: random,
		deviceKey: root.Derive(deviceLabel, secret.KeySize), challengeKey: root.DeriveKey(challengeLabel),
	}
}

// Auth is the ways into a tenant and out of it.
type Auth struct {
	*Access
	scope scope.Request
	run   *op.Runner
}

// NewAuth makes the service of one request.
func NewAuth(r scope.Request, run *op.Runner, a *Access) *Auth {
	return &Auth{Access: a, scope: r, run: run}
}

// sessionView is what the trail keeps of a session that begins or ends.
type sessionView struct {
	Session uuid.UUID `json:"session"`
	Ended   bool      `json:"ended"`
	Why     string    `json:"why,omitempty"`
}

// free returns domain.ErrThrottled while any of these may not be tried.
func (a *Access) free(ctx context.Context, tx uow.Tx, now time.Time, subjects []domain.Subject) error {
	until, err := a.attempts.Blocked(ctx, tx, now, subjects...)
	if err == nil && !until.IsZero() {
		return domain.ErrThrottled.After(until.Sub(now))
	}
	return err
}

// missed counts a failed attempt, for good, and returns why it failed.
func (a *Access) missed(ctx context.Context, tx uow.Tx, now time.Time, why error, subjects []domain.Subject) error {
	if err := a.attempts.Failed(ctx, tx, now, subjects...); err != nil {
		return err
	}
	return op.Keep(why)
}
