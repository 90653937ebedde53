package wiregen_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/config"
)

// TestStrangersLearnNothingFromTheTime compares how long the answer takes to
// what strangers can ask about those who are here and those who are not.
func TestStrangersLearnNothingFromTheTime(t *testing.T) {
	h := newHouse(t, func(c *config.Config) { c.Security.BcryptCost = 8 }) // a hash stands out from the rest
	n := h.tenant(t)
	n.invite(t, "late@example.com")
	late := h.mail.token(t, "late@example.com")
	h.clock.Advance(8 * 24 * time.Hour) // the invitation is over
	somebody := func(i int, known bool) string {
		if known {
			return n.owner.email
		}
		return fmt.Sprintf("nobody%d@example.com", i)
	}
	for name, ask := range map[string]func(i int, known bool){
		"login": func(i int, known bool) { n.login(t, somebody(i, known), "a wrong password") },
		"reset": func(i int, known bool) { n.forget(t, somebody(i, known)) },
		"invitation": func(i int, known bool) {
			token := late
			if !known {
				token = fmt.Sprintf("%s%03d", late[:len(late)-3], i)
			}
			n.join(t, token, "a password that is long")
		},
	} {
		ratio, rounds := compareTimes(func(i int, known bool) time.Duration {
			h.clock.Advance(20 * time.Minute) // so that nobody has to wait
			start := time.Now()
			ask(i, known)
			return time.Since(start)
		})
		if !alike(ratio) {
			t.Errorf("%s: somebody takes %.2f times as long as nobody, in the median of %d pairs", name, ratio, rounds)
		}
	}
}

// alike is what noise leaves of two equal times. A hash that one side is
// spared makes the ratio several times as large.
func alike(ratio float64) bool { return ratio > 1/1.5 && ratio < 1.5 }

const (
	fewPairs  = 15
	mostPairs = 120
)

// compareTimes returns the median ratio of pairs that are measured one right
// after the other, in changing order, so that what slows the machine down
// slows both sides alike. Where that does not settle it, because the machine
// is busy with something else, more pairs do: noise goes away with their
// number, and a difference that is there stays.
func compareTimes(measure func(i int, known bool) time.Duration) (ratio float64, pairs int) {
	var ratios []float64
	for i := range mostPairs {
		first := i%2 == 0
		a, b := measure(i, first), measure(i, !first)
		if !first {
			a, b = b, a
		}
		ratios = append(ratios, float64(a)/float64(b))
		if pairs = len(ratios); pairs >= fewPairs && pairs%fewPairs == 0 {
			if ratio = median(ratios); alike(ratio) {
				break
			}
		}
	}
	return ratio, pairs
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// TestADifferenceIsFound: the comparison does not call everything alike.
func TestADifferenceIsFound(t *testing.T) {
	noise := []time.Duration{0, 30, 5, 90, 12, 400, 7} // now and then something else has the machine
	for name, tc := range map[string]struct {
		known, unknown time.Duration
		alike          bool
	}{
		"equal":                       {20, 20, true},
		"a hash for somebody only":    {60, 20, false},
		"a hash for nobody only":      {20, 60, false},
		"twice as long":               {40, 20, false},
		"a little, lost in the noise": {21, 20, true},
	} {
		calls := 0
		ratio, _ := compareTimes(func(_ int, known bool) time.Duration {
			calls++
			took := tc.unknown
			if known {
				took = tc.known
			}
			if calls%5 == 0 {
				took += noise[calls/5%len(noise)]
			}
			return took
		})
		if alike(ratio) != tc.alike {
			t.Errorf("%s: ratio %.2f", name, ratio)
		}
	}
}
