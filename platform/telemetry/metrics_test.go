package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/telemetry"
)

// recordAll uses every recorder once.
func recordAll(m *telemetry.Metrics) {
	m.RequestStarted()
	m.ObserveRequest("users.create", "POST", 201, 3*time.Millisecond)
	m.ObserveRequest("", "BREW", 418, time.Second)
	m.ObserveRequest("users.get", "GET", 0, time.Second)
	m.ObserveError("users.create", "users.email_taken")
	m.ObserveQuery("GetUser", 200*time.Microsecond, false)
	m.ObserveQuery("GetUser", 200*time.Microsecond, true)
	m.ObserveCache("roles", telemetry.CacheHit)
	m.Lookups("tenants")(false)
	m.ObserveLimit("http", "tenant", true)
	m.ObserveLimit("http", "tenant", false)
	m.ObserveLimitFallback("http")
	m.ObserveJob("audit.seal", time.Second, false)
	m.ObserveJob("audit.seal", time.Second, true)
	m.ObserveAudit("done")
	m.ObserveSeal(7, 12*time.Second)
	m.SetSpares(3)
	m.ObserveDecision("denied")
	m.ObserveDecision("allowed")
	m.RegisterPool("app", func() telemetry.PoolStats {
		return telemetry.PoolStats{Max: 16, Open: 6, InUse: 3, Idle: 2, Acquired: 9, Waited: 4, WaitTime: 1500 * time.Millisecond, Memory: 5 << 20, Replaced: 2}
	})
}

func TestAdminHandlerServesTheMetrics(t *testing.T) {
	registry := telemetry.NewRegistry()
	m := telemetry.NewMetrics(registry)
	recordAll(m)
	done := m.RequestStarted()
	done()

	answer := httptest.NewRecorder()
	telemetry.AdminHandler(registry).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	page := answer.Body.String()
	for _, want := range []string{
		`insula_http_request_duration_seconds_count{method="POST",operation="users.create",status="2xx"} 1`,
		`insula_http_request_duration_seconds_bucket{method="POST",operation="users.create",status="2xx",le="0.005"} 1`,
		`insula_http_request_duration_seconds_bucket{method="POST",operation="users.create",status="2xx",le="0.0025"} 0`,
		`insula_http_request_duration_seconds_count{method="other",operation="none",status="4xx"} 1`,
		`insula_http_request_duration_seconds_count{method="GET",operation="users.get",status="other"} 1`,
		`insula_http_errors_total{code="users.email_taken",operation="users.create"} 1`,
		`insula_http_in_flight 1`,
		`insula_audit_records_total{outcome="done"} 1`,
		`insula_audit_sealed_total 7`,
		`insula_audit_seal_delay_seconds_bucket{le="15"} 1`,
		`insula_audit_seal_delay_seconds_bucket{le="10"} 0`,
		`insula_access_decisions_total{outcome="denied"} 1`,
		`insula_db_query_duration_seconds_count{query="GetUser"} 2`,
		`insula_db_query_errors_total{query="GetUser"} 1`,
		`insula_cache_lookups_total{cache="roles",outcome="hit"} 1`,
		`insula_limiter_decisions_total{limiter="http",outcome="allowed",policy="tenant"} 1`,
		`insula_limiter_decisions_total{limiter="http",outcome="refused",policy="tenant"} 1`,
		`insula_limiter_fallback_total{limiter="http"} 1`,
		`insula_job_duration_seconds_count{job="audit.seal",outcome="done"} 1`,
		`insula_job_duration_seconds_count{job="audit.seal",outcome="failed"} 1`,
		`insula_access_decisions_total{outcome="allowed"} 1`,
		`insula_cache_lookups_total{cache="tenants",outcome="miss"} 1`,
		`insula_db_pool_connections_max{pool="app"} 16`,
		`insula_db_pool_connections{pool="app",state="in_use"} 3`,
		`insula_db_pool_connections{pool="app",state="opening"} 1`,
		`insula_db_pool_acquired_total{pool="app"} 9`,
		`insula_db_pool_waited_total{pool="app"} 4`,
		`insula_db_pool_wait_seconds_total{pool="app"} 1.5`,
		`go_goroutines `,
		`process_cpu_seconds_total `,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if t.Failed() {
		t.Log(page)
	}
}

// Labels are a closed set, so that none (a tenant, a path, a user) slips in that grows with use.
func TestLabelsAreAClosedSet(t *testing.T) {
	registry := telemetry.NewRegistry()
	recordAll(telemetry.NewMetrics(registry))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{"operation", "method", "status", "code", "query", "cache", "outcome", "limiter", "policy", "job", "pool", "state"}
	page, err := os.ReadFile("../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "insula_") {
			continue
		}
		ours++
		if !strings.Contains(string(page), "| `"+family.GetName()+"` |") {
			t.Errorf("docs/telemetry.md does not explain %s", family.GetName())
		}
		for _, label := range family.GetMetric()[0].GetLabel() {
			if !slices.Contains(allowed, label.GetName()) {
				t.Errorf("%s has the label %s", family.GetName(), label.GetName())
			}
		}
	}
	if explained := strings.Count(string(page), "| `insula_"); explained != ours {
		t.Errorf("docs/telemetry.md explains %d metrics, there are %d", explained, ours)
	}
	if ours != 22 {
		t.Errorf("%d metrics were checked, want 22: add the new ones to recordAll", ours)
	}
}

func TestNilMetricsRecordNothing(*testing.T) {
	recordAll(nil) // does not panic
}

func TestAdminHandlerServesProfilesAndLiveness(t *testing.T) {
	h := telemetry.AdminHandler(telemetry.NewRegistry())
	for path, want := range map[string]int{
		"/livez": 200, "/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/cmdline": 200, "/debug/pprof/symbol": 200,
		"/": 404, "/debug": 404, "/livez/x": 404,
	} {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.Code != want {
			t.Errorf("GET %s = %d, want %d", path, answer.Code, want)
		}
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/metrics", nil))
	if answer.Code != 405 {
		t.Errorf("POST /metrics = %d", answer.Code)
	}
}
