package wiregen_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/config"
)

// fairshare is how long `make bench-fairshare` measures each half. The two take
// turns, so that whatever else the machine does meets both.
var fairshare = flag.Duration("fairshare", 0, "measure what a flood of one tenant costs another, for this long without it and with it")

const (
	noisyRate = 100            // requests in a second that the noisy tenant may send
	flood     = 10 * noisyRate // that it sends
	quietRate = 50
	mostSlow  = 1.5 // times its quiet p95 that the other tenant may take
	turn      = 5 * time.Second
	burst     = 2 * time.Second // in which a flood's first second of requests, which it may send at once, is worked off
)

// TestFairShare measures: tenant A sends ten times what it may while B works.
func TestFairShare(t *testing.T) {
	if *fairshare == 0 {
		t.Skip("a measurement: make bench-fairshare")
	}
	h := newHouse(t, func(c *config.Config) { c.Database.MaxConns, c.Limits.Units = 16, 8 })
	go h.keepTime(t.Context())
	a, b := h.tenant(t), h.tenant(t)
	a.adjust(t, h, fmt.Sprintf(`{"tenants.requests_per_second":%d}`, noisyRate))
	server := httptest.NewServer(h.server)
	defer server.Close()
	address := server.URL + "/v1/users"
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	ask(t.Context(), client, address, a.owner.token) // learns of the limit

	var quiet, begun, loud, noisy result
	for _, token := range []string{a.owner.token, b.owner.token} { // warm
		(&result{}).send(t.Context(), client, address, token, quietRate, turn)
	}
	for left := *fairshare; left > 0; left -= turn {
		quiet.send(t.Context(), client, address, b.owner.token, quietRate, turn)
		var all sync.WaitGroup
		all.Go(func() { noisy.send(t.Context(), client, address, a.owner.token, flood, burst+turn) })
		begun.send(t.Context(), client, address, b.owner.token, quietRate, burst)
		loud.send(t.Context(), client, address, b.owner.token, quietRate, turn)
		all.Wait()
	}

	whole := result{took: slices.Concat(begun.took, loud.took)}
	ratio := float64(whole.at(0.95)) / float64(quiet.at(0.95))
	t.Logf("A: %d requests of %d/s allowed %d/s, answered %v", len(noisy.took), flood, noisyRate, noisy.answers)
	t.Logf("B quiet: p50 %s, p95 %s, answered %v", quiet.at(0.5), quiet.at(0.95), quiet.answers)
	t.Logf("B in the first %s of the flood: p50 %s, p95 %s, answered %v", burst, begun.at(0.5), begun.at(0.95), begun.answers)
	t.Logf("B after that: p50 %s, p95 %s, answered %v", loud.at(0.5), loud.at(0.95), loud.answers)
	t.Logf("B in the whole flood: p50 %s, p95 %s; p95 is %.2f times its quiet value", whole.at(0.5), whole.at(0.95), ratio)
	if loud.answers[http.StatusOK] != len(loud.took) || begun.answers[http.StatusOK] != len(begun.took) {
		t.Errorf("B was refused: %v, %v", begun.answers, loud.answers)
	}
	if noisy.answers[http.StatusTooManyRequests] < len(noisy.took)/2 || noisy.answers[http.StatusOK] == 0 {
		t.Errorf("A was not held to its share: %v", noisy.answers)
	}
	if ratio > mostSlow {
		t.Errorf("B's p95 is %.2f times its quiet value, more than %.1f", ratio, mostSlow)
	}
}

// keepTime makes the clock of the house run.
func (h *house) keepTime(ctx context.Context) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for last := time.Now(); ctx.Err() == nil; {
		now := <-tick.C
		h.clock.Advance(now.Sub(last))
		last = now
	}
}

// result is what requests came to.
type result struct {
	mu      sync.Mutex
	took    []time.Duration
	answers map[int]int // by status
}

// at is the time within which a part of the requests were answered.
func (r *result) at(part float64) time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(r.took))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)].Round(10 * time.Microsecond)
}

// send sends requests at a rate, however long their answers take.
func (r *result) send(ctx context.Context, client *http.Client, address, token string, perSecond int, length time.Duration) {
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for end := time.Now().Add(length); time.Now().Before(end); <-tick.C {
		all.Go(func() {
			start := time.Now()
			r.note(ask(ctx, client, address, token), time.Since(start))
		})
	}
	all.Wait()
}

func (r *result) note(status int, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answers == nil {
		r.answers = map[int]int{}
	}
	r.took = append(r.took, took)
	r.answers[status]++
}

// ask returns the status of an answer; 0 for none.
func ask(ctx context.Context, client *http.Client, address, token string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(req)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is used again
	return answer.StatusCode
}
