package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// PoolStats is the state of a pool of database connections at one instant; counts and times of waiting are
// totals since the pool was opened.
type PoolStats struct {
	Max, Open, InUse, Idle int32
	Acquired               int64         // connections handed out, a shared one once for each who shares it
	Waited                 int64         // of these, how many were not free at once
	WaitTime               time.Duration // spent on all acquisitions together
	Memory                 int64         // of the backends together, estimated, in bytes
	Replaced               int64         // connections that were closed because their backend held too much
	Met                    int64         // statements that a connection ran for a tenant for the first time
}

// RegisterPool shows the pool of this name in the metrics. read is called at each scrape and must be quick.
func (m *Metrics) RegisterPool(name string, read func() PoolStats) {
	if m == nil {
		return
	}
	labels := prometheus.Labels{"pool": name}
	desc := func(metric, help string, variable ...string) *prometheus.Desc {
		return prometheus.NewDesc("insula_db_pool_"+metric, help, variable, labels)
	}
	m.registry.MustRegister(&poolCollector{
		read:        read,
		max:         desc("connections_max", "Greatest number of connections."),
		connections: desc("connections", "Connections by state.", "state"),
		acquired:    desc("acquired_total", "Connections handed out; one that reads share counts once for each of them."),
		waited:      desc("waited_total", "Connections handed out that were not free at once."),
		waitTime:    desc("wait_seconds_total", "Time spent waiting for connections."),
		memory:      desc("backend_memory_bytes", "Estimate of the memory that the backends hold together."),
		replaced:    desc("replaced_total", "Connections closed because their backend held too much memory."),
		met:         desc("first_visits_total", "Statements that a connection ran for a tenant for the first time, which takes some milliseconds."),
	})
}

type poolCollector struct {
	read                               func() PoolStats
	max, connections, acquired, waited *prometheus.Desc
	waitTime, memory, replaced, met    *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *poolCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.max, c.connections, c.acquired, c.waited, c.waitTime, c.memory, c.replaced, c.met} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *poolCollector) Collect(out chan<- prometheus.Metric) {
	s := c.read()
	gauge := func(d *prometheus.Desc, v int32, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	total := func(d *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v)
	}
	gauge(c.max, s.Max)
	gauge(c.connections, s.InUse, "in_use")
	gauge(c.connections, s.Idle, "idle")
	gauge(c.connections, s.Open-s.InUse-s.Idle, "opening")
	total(c.acquired, float64(s.Acquired))
	total(c.waited, float64(s.Waited))
	total(c.waitTime, s.WaitTime.Seconds())
	out <- prometheus.MustNewConstMetric(c.memory, prometheus.GaugeValue, float64(s.Memory))
	total(c.replaced, float64(s.Replaced))
	total(c.met, float64(s.Met))
}
