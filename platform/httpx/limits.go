package httpx

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/scope"
)

// Limiter counts requests; package redisx has one.
type Limiter interface {
	Allow(ctx context.Context, key redisx.Name, l redisx.Limit) (redisx.Decision, error)
}

// Limits are the rates the house allows.
type Limits struct {
	Tenant  redisx.Limit // all callers of one tenant together
	User    redisx.Limit // one caller
	Network redisx.Limit // public operations from one network
}

type limits struct {
	limiter Limiter
	Limits
}

// network limits strangers by where they come from: an IPv4 address, or the
// /64 network that one IPv6 customer usually has.
func (l limits) network(ctx context.Context, from authn.Origin, header func(name, value string)) error {
	prefix := "unknown"
	if from.Addr.IsValid() {
		bits := 32
		if from.Addr.Is6() {
			bits = 64
		}
		prefix = netip.PrefixFrom(from.Addr, bits).Masked().String()
	}
	return l.take(ctx, "network", redisx.GlobalKey("limit", "network", prefix), l.Network, header)
}

// caller limits a tenant and then the user inside it, so that one user
// cannot use up what is left of the other's.
func (l limits) caller(ctx context.Context, r scope.Request, header func(name, value string)) error {
	tenant := redisx.Key(r.Tenant.ID, "limit", "tenant")
	if err := l.take(ctx, "tenant", tenant, l.Tenant, header); err != nil {
		return err
	}
	if !r.Caller.SignedIn() {
		return nil
	}
	return l.take(ctx, "user", redisx.Key(r.Tenant.ID, "limit", "user", r.Caller.ID.String()), l.User, header)
}

// take asks the limiter and tells the caller how it stands, in the form of
// draft-ietf-httpapi-ratelimit-headers.
func (l limits) take(ctx context.Context, policy string, key redisx.Name, limit redisx.Limit, header func(name, value string)) error {
	d, err := l.limiter.Allow(ctx, key, limit)
	if err != nil {
		return err
	}
	header("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", policy, limit.Rate, seconds(limit.Period)))
	header("RateLimit", fmt.Sprintf("%q;r=%s;t=%d", policy, strconv.Itoa(d.Remaining), seconds(d.Reset)))
	if !d.Allowed {
		return errs.ErrRateLimited.After(max(d.RetryAfter, time.Second))
	}
	return nil
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
