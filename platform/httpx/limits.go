package httpx

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// Limiter counts requests; package redisx has one.
type Limiter interface {
	Allow(ctx context.Context, asks ...redisx.Ask) ([]redisx.Decision, error)
}

// Limits are the rates the house allows.
type Limits struct {
	Tenant  func(tenancy.Tenant) redisx.Limit // all callers of one tenant together
	User    redisx.Limit                      // one caller
	Network redisx.Limit                      // public operations from one network
	// Proof is for keys and tickets from one network that only a tenant's
	// database can tell from made-up ones.
	Proof redisx.Limit
}

type limits struct {
	limiter Limiter
	glances *glances
	Limits
}

// network limits strangers by where they come from: an IPv4 address, or the
// /64 network that one IPv6 customer usually has.
func (l limits) network(ctx context.Context, from authn.Origin, header func(name, value string)) error {
	return l.take(ctx, header, redisx.Ask{Policy: "network", Key: redisx.GlobalKey("limit", "network", networkOf(from)), Limit: l.Network})
}

// proof limits those who present what has to be looked for, by where they come
// from: anybody can make it up, and name any tenant in it.
func (l limits) proof(ctx context.Context, from authn.Origin, header func(name, value string)) error {
	return l.take(ctx, header, redisx.Ask{Policy: "proof", Key: redisx.GlobalKey("limit", "proof", networkOf(from)), Limit: l.Proof})
}

// networkOf is where somebody comes from, as text.
func networkOf(from authn.Origin) string {
	if !from.Addr.IsValid() {
		return "unknown"
	}
	bits := 32
	if from.Addr.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(from.Addr, bits).Masked().String()
}

// caller limits a tenant and the user inside it; nobody where none is known. A
// request that one of the two refuses counts for neither, so that a user who is
// out of bounds does not use up what the tenant's other users have.
//
// It returns what was asked. Asked tells what was for the same request, before
// the tenant's settings were read for it: it counts once, and once more only in
// the moment when a limit turns out to have changed, which holds at once then.
func (l limits) caller(ctx context.Context, r scope.Request, asked []redisx.Ask, header func(name, value string)) ([]redisx.Ask, error) {
	if r.Tenant.ID == uuid.Nil {
		return nil, nil
	}
	asks := []redisx.Ask{{Policy: "tenant", Key: redisx.Key(r.Tenant.ID, "limit", "tenant"), Limit: l.Tenant(r.Tenant)}}
	if r.Caller.SignedIn() {
		asks = append(asks, redisx.Ask{Policy: "user", Key: redisx.Key(r.Tenant.ID, "limit", "user", r.Caller.ID.String()), Limit: l.User})
	}
	if slices.Equal(asks, asked) {
		return asks, nil
	}
	return asks, l.take(ctx, header, asks...)
}

// take asks the limiter and tells the caller how each limit stands, in the
// form of draft-ietf-httpapi-ratelimit-headers.
func (l limits) take(ctx context.Context, header func(name, value string), asks ...redisx.Ask) error {
	decisions, err := l.limiter.Allow(ctx, asks...)
	if err != nil {
		return err
	}
	var policies, states []string
	refused, wait := false, time.Second
	for i, a := range asks {
		d := decisions[i]
		policies = append(policies, fmt.Sprintf("%q;q=%d;w=%d", a.Policy, a.Limit.Rate, seconds(a.Limit.Period)))
		states = append(states, fmt.Sprintf("%q;r=%d;t=%d", a.Policy, d.Remaining, seconds(d.Reset)))
		if !d.Allowed {
			refused, wait = true, max(wait, d.RetryAfter)
		}
	}
	header("RateLimit-Policy", strings.Join(policies, ", "))
	header("RateLimit", strings.Join(states, ", "))
	if refused {
		return errs.ErrRateLimited.After(wait)
	}
	return nil
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
