package pg

import (
	"testing"
	"time"
)

// Patience is long where most trips are slow, and stays short where a few are.
func TestPatienceGoesByMostTrips(t *testing.T) {
	for name, tc := range map[string]struct {
		trips []time.Duration // again and again
		least time.Duration
		most  time.Duration
	}{
		"quick":              {[]time.Duration{300 * time.Microsecond}, leastPatience, leastPatience},
		"one in 20 is stuck": {append(make([]time.Duration, 19), 10*time.Second), leastPatience, leastPatience},
		"slow":               {[]time.Duration{10 * time.Millisecond}, 50 * time.Millisecond, 110 * time.Millisecond},
		"very slow":          {[]time.Duration{time.Second}, mostPatience, mostPatience},
	} {
		t.Run(name, func(t *testing.T) {
			var p pace
			if got := p.patience(); got != leastPatience {
				t.Errorf("%s to begin with", got)
			}
			for range 1000 {
				for _, took := range tc.trips {
					p.saw(took)
				}
			}
			if got := p.patience(); got < tc.least || got > tc.most {
				t.Errorf("%s", got)
			}
			for range 2000 {
				p.saw(100 * time.Microsecond)
			}
			if got := p.patience(); got != leastPatience {
				t.Errorf("%s after all is quick again", got)
			}
		})
	}
}
