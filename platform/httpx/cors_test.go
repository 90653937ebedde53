package httpx_test

import (
	"context"
	"testing"

	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

const (
	everywhere = "https://admin.example" // the installation's
	acmeOnly   = "https://acme.example"  // of the tenant acme
	stranger   = "https://evil.example"
)

func newSharingHouse(t *testing.T) *house {
	t.Helper()
	return newHouse(t, func(o *httpx.Options) {
		o.CORSOrigins = []string{everywhere}
		o.Origins = func(_ context.Context, r scope.Request) []string {
			if r.Tenant.ID != acme.ID {
				t.Errorf("origins of %q", r.Tenant.Slug)
			}
			return []string{acmeOnly}
		}
	})
}

func TestOriginsOfATenantReadItsAnswers(t *testing.T) {
	h := newSharingHouse(t)
	for _, tc := range []struct {
		name, method, path, origin string
		headers                    []string
		readable                   bool
	}{
		{"its own", "GET", "/v1/things", acmeOnly, nil, true},
		{"its own, refused", "GET", "/v1/things", acmeOnly, []string{"Authorization", "Bearer weak"}, true},
		{"its own, a visitor", "POST", "/v1/hello", acmeOnly, []string{"Authorization", "", "X-Tenant", "acme"}, true},
		{"a stranger", "GET", "/v1/things", stranger, nil, false},
		{"the installation's, which the tenant does not allow", "GET", "/v1/things", everywhere, nil, false},
		{"no tenant", "GET", "/livez", everywhere, nil, true},
		{"no tenant, a tenant's", "GET", "/livez", acmeOnly, nil, false},
		{"no token", "GET", "/v1/things", everywhere, []string{"Authorization", ""}, true},
		{"no origin", "GET", "/v1/things", "", nil, false},
	} {
		header := h.call(tc.method, tc.path, "", append(tc.headers, "Origin", tc.origin)...).Header()
		want := ""
		if tc.readable {
			want = tc.origin
		}
		if got := header.Get("Access-Control-Allow-Origin"); got != want || (header.Get("Access-Control-Expose-Headers") != "") != tc.readable {
			t.Errorf("%s: allowed %q, want %q: %v", tc.name, got, want, header)
		}
		if header.Values("Vary")[0] != "Origin" {
			t.Errorf("%s: Vary %v", tc.name, header.Values("Vary"))
		}
	}
}

func TestPreflights(t *testing.T) {
	sharing, closed := newSharingHouse(t), newHouse(t)
	for _, tc := range []struct {
		name, host, origin string
		h                  *house
		granted            bool
	}{
		{"the host of a tenant, its own", "acme.example.com", acmeOnly, sharing, true},
		{"the host of a tenant, a stranger", "acme.example.com", stranger, sharing, false},
		{"a host of no tenant", "api.test", stranger, sharing, true},
		{"the installation's", "api.test", everywhere, sharing, true},
		{"nobody shares", "api.test", stranger, closed, false},
	} {
		w := tc.h.call("OPTIONS", "/v1/things", "", "Host", tc.host, "Origin", tc.origin, "Access-Control-Request-Method", "POST", "Authorization", "")
		granted := w.Header().Get("Access-Control-Allow-Origin") == tc.origin && w.Header().Get("Access-Control-Allow-Methods") != ""
		if w.Code != 204 || granted != tc.granted || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v", tc.name, w.Code, w.Header())
		}
	}
}
