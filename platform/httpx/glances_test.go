package httpx_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// learner is a gate that learns of a tenant's limit when it lets somebody in.
type learner struct {
	doorkeeper
	known, now redisx.Limit
	asked      int
}

func (l *learner) Admit(ctx context.Context, b scope.Bearer, h tenancy.Hints, o authn.Origin) (scope.Request, error) {
	l.asked++
	l.known = l.now
	return l.doorkeeper.Admit(ctx, b, h, o)
}

// TestARefusedTenantIsGlancedAt: of the requests that a limit refuses one a
// second is let through to the gate, so that a limit that was raised elsewhere
// becomes known although nothing is let in here.
func TestARefusedTenantIsGlancedAt(t *testing.T) {
	low, high := redisx.Limit{Rate: 1, Burst: 1, Period: time.Hour}, redisx.Limit{Rate: 1000, Burst: 2000, Period: time.Hour}
	gate := &learner{known: low, now: low}
	now := clock.At(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	h := newHouse(t, func(o *httpx.Options) {
		o.Gate, o.Clock = gate, now
		o.Limits.Tenant = func(tenancy.Tenant) redisx.Limit { return gate.known }
	})
	for _, step := range []struct {
		name          string
		after         time.Duration
		limit         redisx.Limit
		status, asked int
	}{
		{"within the limit", 0, low, http.StatusOK, 1},
		{"beyond it", 0, low, http.StatusTooManyRequests, 2},
		{"again in the same second", 0, low, http.StatusTooManyRequests, 2},
		{"raised, in the same second", 0, high, http.StatusTooManyRequests, 2},
		{"raised, in the next", time.Second, high, http.StatusOK, 3},
		{"from then on", 0, high, http.StatusOK, 4},
	} {
		now.Advance(step.after)
		gate.now = step.limit
		if w := h.call("GET", "/v1/things", ""); w.Code != step.status || gate.asked != step.asked {
			t.Fatalf("%s: %d, and the gate was asked %d times; want %d and %d", step.name, w.Code, gate.asked, step.status, step.asked)
		}
	}
}
