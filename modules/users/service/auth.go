package service

import (
	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
)

// Auth is the ways into a tenant and out of it.
type Auth struct {
	*Directory
	scope    scope.Request
	run      *op.Runner
	sessions domain.Sessions
	tokens   domain.OneTimeTokens
	hasher   domain.Hasher
	issuer   *Issuer
}

// NewAuth makes the service of one request.
func NewAuth(r scope.Request, run *op.Runner, d *Directory, sessions domain.Sessions, tokens domain.OneTimeTokens, h domain.Hasher, i *Issuer) *Auth {
	return &Auth{Directory: d, scope: r, run: run, sessions: sessions, tokens: tokens, hasher: h, issuer: i}
}

// sessionView is what the trail keeps of a session that begins or ends.
type sessionView struct {
	Session uuid.UUID `json:"session"`
	Ended   bool      `json:"ended"`
	Why     string    `json:"why,omitempty"`
}
