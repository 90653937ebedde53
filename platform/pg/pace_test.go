package pg

import (
	"slices"
	"testing"
	"time"
)

// Patience is long where most trips are slow, and stays short where some are
// held up for so long that they say nothing of the others.
func TestPatienceGoesByMostTrips(t *testing.T) {
	quick := 300 * time.Microsecond
	for name, tc := range map[string]struct {
		trips []time.Duration // again and again
		first bool
		least time.Duration
		most  time.Duration
	}{
		"quick":                      {[]time.Duration{quick}, false, leastPatience, leastPatience},
		"slow":                       {[]time.Duration{10 * time.Millisecond}, false, 50 * time.Millisecond, 110 * time.Millisecond},
		"one in 20 is slow":          {append(slices.Repeat([]time.Duration{quick}, 19), 15*time.Millisecond), false, leastPatience, leastPatience},
		"half are held up":           {[]time.Duration{quick, time.Second}, false, leastPatience, leastPatience},
		"all are met for first time": {[]time.Duration{80 * time.Millisecond}, true, mostPatience, mostPatience},
	} {
		t.Run(name, func(t *testing.T) {
			var p pace
			if got := p.patience(); got != leastPatience {
				t.Errorf("%s to begin with", got)
			}
			for range 1000 {
				for _, took := range tc.trips {
					p.saw(took, tc.first)
				}
			}
			if got := p.patience(); got < tc.least || got > tc.most {
				t.Errorf("%s", got)
			}
			for range 2000 {
				p.saw(quick, false)
			}
			if got := p.patience(); got != leastPatience {
				t.Errorf("%s after all is quick again", got)
			}
		})
	}
}
