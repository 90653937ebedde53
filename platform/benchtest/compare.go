// Package benchtest measures one way of doing something against another.
package benchtest

import (
	"slices"
	"testing"
	"time"
)

// warmUp is how often both ways run unmeasured: connections are open then,
// statements prepared, plans made.
const warmUp = 20

// Compare runs floor and body in turns, so that a machine that is busy for a
// while slows both, and reports the body's median time and how often it holds
// the floor's. Bytes per operation are those of both.
func Compare(b *testing.B, floor, body func() error) {
	b.Helper()
	run := func(fn func() error) time.Duration {
		start := time.Now()
		if err := fn(); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	for range warmUp {
		run(floor)
		run(body)
	}
	var floors, bodies []time.Duration
	for b.Loop() {
		floors = append(floors, run(floor))
		bodies = append(bodies, run(body))
	}
	f, m := median(floors), median(bodies)
	b.ReportMetric(m, "ns/op")
	b.ReportMetric(f, "floor-ns/op")
	b.ReportMetric(m/f, "x-floor")
	b.ReportMetric(testing.AllocsPerRun(20, func() { run(body) }), "allocs/op")
}

func median(of []time.Duration) float64 {
	return float64(slices.Sorted(slices.Values(of))[len(of)/2])
}
