package wiregen_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestTheNoisyTenantAloneIsRefused: past its rate a tenant is answered 429 with
// the headers that say so, by the operator's setting for it, and another tenant
// is served.
func TestTheNoisyTenantAloneIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	noisy, quiet, operator := h.tenant(t), h.tenant(t), h.operator(t)
	limit := func(body string) {
		mustDo(t, operator.as().with("If-Match", "*").call(t, "PATCH", "/v1/tenants/"+noisy.id.String()+"/settings", body))
	}
	refused(t, noisy.set(t, "tenants.requests_per_second", "1000000"), http.StatusForbidden, "settings.operator_only")
	limit(setting("tenants.requests_per_second", "3"))
	mustDo(t, noisy.as().get(t, "/v1/me")) // learns of it
	var last *response
	for range 4 { // the clock stands still
		last = noisy.as().get(t, "/v1/me")
	}
	refused(t, last, http.StatusTooManyRequests, "rate_limited")
	if last.Header().Get("Retry-After") != "1" || last.Header().Get("RateLimit-Policy") != `"tenant";q=3;w=1, "user";q=1000000;w=1` || !strings.HasPrefix(last.Header().Get("RateLimit"), `"tenant";r=0;t=1, `) {
		t.Errorf("headers %v", last.Header())
	}
	refused(t, noisy.stranger().post(t, "/v1/auth/login", `{"email":"a@example.com","password":"correct horse battery"}`), http.StatusTooManyRequests, "rate_limited")
	mustDo(t, quiet.as().get(t, "/v1/me"))
	limit(setting("tenants.requests_per_second", "null"))
	h.clock.Advance(1e9)
	mustDo(t, noisy.as().get(t, "/v1/me"))
	mustDo(t, noisy.as().get(t, "/v1/me"))
}
