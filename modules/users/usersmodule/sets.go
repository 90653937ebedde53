// Package usersmodule lists the providers of the users module by lifetime.
package usersmodule

import (
	"context"
	"fmt"
	"io"
	"log/slog"
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
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/telemetry"
)

// Process are the parts that live as long as the process. *service.Founding
// is also the tenants.Seeder of the module.
var Process = wire.NewSet(
	infra.NewUsers, wire.Bind(new(domain.Repository), new(*infra.Users)),
	infra.NewSessions, wire.Bind(new(domain.Sessions), new(*infra.Sessions)),
	infra.NewOneTimeTokens, wire.Bind(new(domain.OneTimeTokens), new(*infra.OneTimeTokens)),
	infra.NewStanding, wire.Bind(new(users.Standing), new(*infra.Standing)),
	infra.NewGatekeeper, wire.Bind(new(gate.Sessions), new(*infra.Gatekeeper)),
	wire.Bind(new(gate.Keys), new(*infra.Gatekeeper)),
	NewSecondFactors, wire.Bind(new(domain.SecondFactors), new(*infra.SecondFactors)),
	infra.NewAttempts, wire.Bind(new(domain.Attempts), new(*infra.Attempts)),
	infra.NewAPIKeys, wire.Bind(new(domain.APIKeys), new(*infra.APIKeys)),
	wire.Bind(new(users.KeyScopes), new(*infra.APIKeys)),
	infra.NewTickets, wire.Bind(new(users.Tickets), new(*infra.Tickets)), wire.Bind(new(gate.Tickets), new(*infra.Tickets)),
	NewPolicies, wire.Bind(new(users.Policies), new(Policies)),
	NewPasswords, wire.Bind(new(domain.Hasher), new(*infra.Passwords)),
	NewKeyStore, service.NewRotations, NewKeyRing, NewKeySet, NewSigner, NewVerifier, wire.Bind(new(gate.Verifier), new(*jwtx.Verifier)),
	service.NewDirectory, service.NewInviter, NewPost, NewIssuer, wire.Struct(new(service.Guards), "*"), NewAccess,
	service.NewFounding, wire.Bind(new(users.Founder), new(*service.Founding)),
)

// Request are the parts of one request.
var Request = wire.NewSet(service.NewUsers, service.NewAuth, service.NewMe, service.NewAPIKeys, service.NewMailroom)

// NewPasswords makes the hasher of the process. It leaves a processor to
// everything else, so that a flood of logins slows down logins.
func NewPasswords(c config.Security) (*infra.Passwords, error) {
	peppers, err := secret.ParseKeys(c.PeppersOld.Reveal())
	if err != nil {
		return nil, fmt.Errorf("older peppers: %w", err)
	}
	return infra.NewPasswords(append(peppers, c.PasswordPepper), c.BcryptCost, max(1, runtime.GOMAXPROCS(0)-1)), nil
}

// NewPost makes the post of the process.
func NewPost(c config.Security, outbox jobs.Outbox, links mailx.Links, random io.Reader) *service.Post {
	return service.NewPost(outbox, links, c.SecretKey, random)
}

// NewIssuer makes the issuer of tokens.
func NewIssuer(c config.Security, signer *jwtx.Signer, sessions domain.Sessions, p users.Policies, t clock.Clock, ids id.Source, random io.Reader) *service.Issuer {
	return service.NewIssuer(signer, sessions, p, c.SecretKey, t, ids, random)
}

// NewAccess makes what the services share that deal with proofs of identity.
func NewAccess(c config.Security, d *service.Directory, g service.Guards, p *service.Post, i *service.Issuer, random io.Reader) *service.Access {
	return service.NewAccess(d, g, p, i, c.SecretKey, random)
}

// NewSecondFactors makes the repository of second factors.
func NewSecondFactors(c config.Security, random io.Reader) *infra.SecondFactors {
	return infra.NewSecondFactors(c.SecretKey, random)
}

// NewKeyStore makes the store of the keys that sign access tokens. control
// opens units of work for the control schema.
func NewKeyStore(c config.Security, control func() pg.ControlUnit, t clock.Clock, random io.Reader) *infra.KeyStore {
	return infra.NewKeyStore(control, c.SecretKey, t, random)
}

// NewKeyRing loads those keys, or makes the first.
func NewKeyRing(ctx context.Context, c config.Security, store *infra.KeyStore, r *service.Rotations, t clock.Clock, log *slog.Logger) (*infra.KeyRing, error) {
	return infra.OpenKeyRing(ctx, store, c.KeyRotation, r.Tell, t, log)
}

// NewKeySet is the set of those keys.
func NewKeySet(r *infra.KeyRing) *jwtx.KeySet { return r.Keys() }

// audience names the API in access tokens.
const audience = "insula-api"

// NewSigner makes the signer of access tokens; the public URL is the issuer.
func NewSigner(c config.HTTP, keys *jwtx.KeySet) *jwtx.Signer {
	return jwtx.NewSigner(keys, c.PublicURL, audience)
}

// leeway is the difference tolerated between the clocks of replicas.
const leeway = 5 * time.Second

// NewVerifier makes the verifier of what NewSigner's signer signs.
func NewVerifier(c config.HTTP, keys *infra.KeyRing, t clock.Clock, m *telemetry.Metrics) (*jwtx.Verifier, error) {
	return jwtx.NewVerifier(keys.Keys(), jwtx.Options{
		Issuer: c.PublicURL, Audience: audience, Leeway: leeway, Clock: t, OnUnknownKey: keys.Learn,
		OnLookup: m.Lookups("tokens"),
	})
}
