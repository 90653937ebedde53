package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

// TestTimeToATenant measures what somebody waits who asks for a tenant over
// HTTP until it is active and its owner has been sent the invitation: made a
// schema of its own, and from the stock.
func TestTimeToATenant(t *testing.T) {
	long(t)
	const tenants = 20
	s := partsOf(t)
	s.insula(t, "migrate")
	conn := s.inspector(t)
	v := s.sellOut(t, conn)
	l := s.found(t, v)
	measure := func(what string) {
		took := make([]time.Duration, tenants)
		for i := range took {
			slug := fmt.Sprintf("speed-%d", slugs.Add(1))
			began := time.Now()
			if status := l.at(v).bear(t.Context(), slug); status != http.StatusCreated {
				t.Fatalf("%s is answered with %d", slug, status)
			}
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		t.Logf("%-24s p50 %.1f ms, p95 %.1f ms", what, ms(took[tenants/2]), ms(took[tenants*95/100]))
	}
	measure("a schema of its own")
	v.kill()
	v = s.serve(t, fmt.Sprintf("INSULA_SPARE_SCHEMAS=%d", 3*tenants)) // more are made only when half of them are gone
	eventually(t, 10*time.Minute, func() error {
		if ready := query[int](t, conn, "SELECT count(*)::int FROM control.spares WHERE state = 'ready'")[0]; ready < 3*tenants {
			return fmt.Errorf("%d spares are ready", ready)
		}
		return nil
	})
	measure("from the stock")
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
