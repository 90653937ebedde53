// Package usersmodule lists the providers of the users module by lifetime.
package usersmodule

import (
	"context"
	"io"
	"runtime"
	"time"

	"github.com/google/wire"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/gate"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/pg"
)

// Process are the parts that live as long as the process. *service.Founding
// is also the tenants.Seeder of the module.
var Process = wire.NewSet(
	infra.NewUsers, wire.Bind(new(domain.Repository), new(*infra.Users)),
	infra.NewSessions, wire.Bind(new(domain.Sessions), new(*infra.Sessions)),
	infra.NewOneTimeTokens, wire.Bind(new(domain.OneTimeTokens), new(*infra.OneTimeTokens)),
	infra.NewStanding, wire.Bind(new(users.Standing), new(*infra.Standing)),
	infra.NewGatekeeper, wire.Bind(new(gate.Sessions), new(*infra.Gatekeeper)),
	infra.NewPostman, wire.Bind(new(service.Postman), new(*infra.Postman)),
	NewPasswords, wire.Bind(new(domain.Hasher), new(*infra.Passwords)),
	NewKeySet, NewSigner, NewVerifier, wire.Bind(new(gate.Verifier), new(*jwtx.Verifier)),
	service.NewDirectory, service.NewInviter, NewIssuer,
	service.NewFounding, wire.Bind(new(users.Founder), new(*service.Founding)),
)

// Request are the parts of one request.
var Request = wire.NewSet(service.NewUsers, service.NewAuth, service.NewMe)

// NewPasswords makes the hasher of the process: as many hashes at once as
// there are processors, because more would only slow each other down.
func NewPasswords(c config.Security) *infra.Passwords {
	return infra.NewPasswords(c.PasswordPepper, c.BcryptCost, runtime.GOMAXPROCS(0))
}

// NewIssuer makes the issuer of tokens with the lifetimes of the
// configuration.
func NewIssuer(c config.Security, signer *jwtx.Signer, sessions domain.Sessions, t clock.Clock, ids id.Source, random io.Reader) *service.Issuer {
	lifetimes := domain.Lifetimes{Access: c.AccessTokenTTL, Session: c.RefreshTTL, Grace: c.RefreshGrace}
	return service.NewIssuer(signer, sessions, lifetimes, c.SecretKey, t, ids, random)
}

// NewKeySet loads the keys that sign access tokens, or makes the first.
// control opens units of work for the control schema.
func NewKeySet(ctx context.Context, c config.Security, control func() pg.ControlUnit, t clock.Clock, random io.Reader) (*jwtx.KeySet, error) {
	return infra.NewKeyStore(control, c.SecretKey, t, random).LoadKeys(ctx)
}

// audience names the API in access tokens.
const audience = "insula-api"

// NewSigner makes the signer of access tokens; the public URL is the issuer.
func NewSigner(c config.HTTP, keys *jwtx.KeySet) *jwtx.Signer {
	return jwtx.NewSigner(keys, c.PublicURL, audience)
}

// leeway is the difference tolerated between the clocks of replicas.
const leeway = 5 * time.Second

// NewVerifier makes the verifier of what NewSigner's signer signs.
func NewVerifier(c config.HTTP, keys *jwtx.KeySet, t clock.Clock) (*jwtx.Verifier, error) {
	return jwtx.NewVerifier(keys, jwtx.Options{Issuer: c.PublicURL, Audience: audience, Leeway: leeway, Clock: t})
}
