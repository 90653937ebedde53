package gate

import (
	"errors"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
)

// holder is whose an API key was when it was last found.
type holder struct{ tenant, user uuid.UUID }

// rememberedKeys bounds how many keys' holders a process keeps.
const rememberedKeys = 20_000

// Recognize tells who presents a token without asking anybody, so that a
// tenant that is beyond its limits costs no trip. An access token proves it by
// its signature. An API key proves nothing by itself, or strangers could use
// up what a tenant may send: it is recognized where it was let in before.
func (g *Gate) Recognize(token string) (scope.Bearer, error) {
	b := scope.Bearer{Token: token}
	if _, ok := g.keys.KeyTenant(token); ok {
		if h, ok := g.holders.Get(digestOf(token)); ok {
			b.Who = scope.Request{Tenant: g.known(h.tenant), Caller: authn.Caller{Kind: authn.APIKey, ID: h.user}}
		}
		return b, nil
	}
	claims, err := g.verifier.Verify(token)
	if err != nil {
		return b, errs.ErrUnauthenticated.Because(err)
	}
	b.Who = scope.Request{
		Tenant: g.known(claims.TenantID),
		Caller: authn.Caller{Kind: authn.User, ID: claims.Subject, Session: claims.SessionID},
	}
	return b, nil
}

func (g *Gate) known(tenant uuid.UUID) tenancy.Tenant {
	if t, ok := g.tenants.Known(tenant); ok {
		return t
	}
	return tenancy.Tenant{ID: tenant}
}

// remember notes how it went with an API key. One whose tenant could not be
// asked stays what it was.
func (g *Gate) remember(key string, h holder, err error) {
	switch {
	case err == nil:
		g.holders.Add(digestOf(key), h)
	case errors.Is(err, errs.ErrUnauthenticated):
		g.holders.Remove(digestOf(key))
	}
}

// digestOf keeps a dump of the memory from holding keys.
func digestOf(key string) secret.Digest { return secret.DigestOf(secret.New(key)) }
