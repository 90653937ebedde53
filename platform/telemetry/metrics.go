package telemetry

import (
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// NewRegistry returns a registry that already describes the process and the Go runtime.
func NewRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewBuildInfoCollector(),
	)
	return registry
}

// Metrics records what the program measures about itself. All label values are names from the code
// (operations, queries, caches, jobs), never anything a caller sends and never a tenant: the number of time
// series does not grow with use. A nil *Metrics records nothing.
type Metrics struct {
	registry prometheus.Registerer

	requests  *prometheus.HistogramVec
	errors    *prometheus.CounterVec
	inFlight  prometheus.Gauge
	queries   *prometheus.HistogramVec
	queryErrs *prometheus.CounterVec
	cache     *prometheus.CounterVec
	limiter   *prometheus.CounterVec
	fallback  *prometheus.CounterVec
	jobs      *prometheus.HistogramVec
	audit     *prometheus.CounterVec
	sealed    prometheus.Counter
	sealDelay prometheus.Histogram
	decisions *prometheus.CounterVec
	spares    prometheus.Gauge
}

var (
	requestBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	queryBuckets   = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5}
	sealBuckets    = []float64{.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300, 900, 3600, 86400}
	jobBuckets     = []float64{.01, .05, .1, .5, 1, 5, 15, 60, 300, 1800}
)

// NewMetrics registers all metrics and returns their recorder. It panics when they are registered already.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{
		registry: registry,
		requests: histogram("http_request_duration_seconds", "Time to answer a request.", requestBuckets, "operation", "method", "status"),
		errors:   counter("http_errors_total", "Requests answered with a problem, by its code.", "operation", "code"),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "insula_http_in_flight", Help: "Requests being answered now."}),

		queries:   histogram("db_query_duration_seconds", "Time of a database query, by its name.", queryBuckets, "query"),
		queryErrs: counter("db_query_errors_total", "Database queries that failed, by name.", "query"),

		cache:    counter("cache_lookups_total", "Cache look-ups; away means that the cache could not be asked.", "cache", "outcome"),
		limiter:  counter("limiter_decisions_total", "Decisions of rate limits.", "limiter", "policy", "outcome"),
		fallback: counter("limiter_fallback_total", "Decisions made by this process alone because Redis was away.", "limiter"),

		jobs: histogram("job_duration_seconds", "Time of a background job.", jobBuckets, "job", "outcome"),

		audit:  counter("audit_records_total", "Audit records written, by outcome of what they record.", "outcome"),
		sealed: prometheus.NewCounter(prometheus.CounterOpts{Name: "insula_audit_sealed_total", Help: "Audit records that became part of a tree."}),
		sealDelay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "insula_audit_seal_delay_seconds", Help: "Age of the oldest record of a batch when it was sealed.", Buckets: sealBuckets,
		}),

		decisions: counter("access_decisions_total", "Operations that were asked for, by what the access decision maker said.", "outcome"),
		spares:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "insula_spare_schemas", Help: "Schemas that are ready for new tenants, when this process last looked."}),
	}
	registry.MustRegister(m.requests, m.errors, m.inFlight, m.queries, m.queryErrs, m.cache, m.limiter, m.fallback, m.jobs, m.audit, m.sealed, m.sealDelay, m.decisions, m.spares)
	return m
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "insula_" + name, Help: help, Buckets: buckets}, labels)
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "insula_" + name, Help: help}, labels)
}

// RequestStarted counts a request as being answered until the returned function is called.
func (m *Metrics) RequestStarted() (done func()) {
	if m == nil {
		return func() {}
	}
	m.inFlight.Inc()
	return m.inFlight.Dec
}

// ObserveRequest records an answered request. Operation is "" when no operation was found.
func (m *Metrics) ObserveRequest(operation, method string, status int, d time.Duration) {
	if m == nil {
		return
	}
	m.requests.WithLabelValues(orNone(operation), methodLabel(method), statusClass(status)).Observe(d.Seconds())
}

// ObserveError records a request answered with a problem of this code.
func (m *Metrics) ObserveError(operation, code string) {
	if m != nil {
		m.errors.WithLabelValues(orNone(operation), orNone(code)).Inc()
	}
}

// ObserveQuery records one database query by its name.
func (m *Metrics) ObserveQuery(name string, d time.Duration, failed bool) {
	if m == nil {
		return
	}
	m.queries.WithLabelValues(orNone(name)).Observe(d.Seconds())
	if failed {
		m.queryErrs.WithLabelValues(orNone(name)).Inc()
	}
}

// CacheOutcome is what a look-up in a cache came to.
type CacheOutcome string

// The outcomes of a look-up.
const (
	CacheHit  CacheOutcome = "hit"
	CacheMiss CacheOutcome = "miss"
	CacheAway CacheOutcome = "away" // the cache could not be asked
)

// ObserveCache records a look-up in the named cache.
func (m *Metrics) ObserveCache(cache string, outcome CacheOutcome) {
	if m != nil {
		m.cache.WithLabelValues(cache, string(outcome)).Inc()
	}
}

// Lookups returns what a cache within the process tells of each look-up, under its name.
func (m *Metrics) Lookups(cache string) func(hit bool) {
	return func(hit bool) {
		outcome := CacheMiss
		if hit {
			outcome = CacheHit
		}
		m.ObserveCache(cache, outcome)
	}
}

// ObserveLimit records whether one limit of the named limiter had room; policy says what it is for.
func (m *Metrics) ObserveLimit(limiter, policy string, allowed bool) {
	if m == nil {
		return
	}
	outcome := "refused"
	if allowed {
		outcome = "allowed"
	}
	m.limiter.WithLabelValues(limiter, policy, outcome).Inc()
}

// ObserveLimitFallback records that the named limiter decided without Redis.
func (m *Metrics) ObserveLimitFallback(limiter string) {
	if m != nil {
		m.fallback.WithLabelValues(limiter).Inc()
	}
}

// ObserveJob records a background job that ended.
func (m *Metrics) ObserveJob(job string, d time.Duration, failed bool) {
	if m == nil {
		return
	}
	outcome := "done"
	if failed {
		outcome = "failed"
	}
	m.jobs.WithLabelValues(job, outcome).Observe(d.Seconds())
}

// ObserveAudit records that an audit record was written; outcome is that of the recorded attempt.
func (m *Metrics) ObserveAudit(outcome string) {
	if m != nil {
		m.audit.WithLabelValues(outcome).Inc()
	}
}

// ObserveSeal records that a batch of audit records was sealed, the oldest of which was so old.
func (m *Metrics) ObserveSeal(records int64, delay time.Duration) {
	if m == nil {
		return
	}
	m.sealed.Add(float64(records))
	m.sealDelay.Observe(delay.Seconds())
}

// ObserveDecision records what came of asking for an operation.
func (m *Metrics) ObserveDecision(outcome string) {
	if m != nil {
		m.decisions.WithLabelValues(outcome).Inc()
	}
}

// SetSpares shows how many schemas are ready for new tenants.
func (m *Metrics) SetSpares(ready int) {
	if m != nil {
		m.spares.Set(float64(ready))
	}
}

func orNone(name string) string {
	if name == "" {
		return "none"
	}
	return name
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// methodLabel keeps invented methods from making time series of their own.
func methodLabel(method string) string {
	if slices.Contains(methods, method) {
		return method
	}
	return "other"
}

func statusClass(status int) string {
	if status < 100 || status > 599 {
		return "other"
	}
	return string('0'+rune(status/100)) + "xx"
}
