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

// fairshare is how long `make bench-fairshare` measures each half.
var fairshare = flag.Duration("fairshare", 0, "measure what a flood of one tenant costs another, for this long without it and with it")

const (
	noisyRate = 100            // requests in a second that the noisy tenant may send
	flood     = 10 * noisyRate // that it sends
	quietRate = 50
	mostSlow  = 1.5 // times its quiet p95 that the other tenant may take
)

// TestFairShare measures: tenant A sends ten times what it may while B works.
func TestFairShare(t *testing.T) {
	if *fairshare == 0 {
		t.Skip("a measurement: make bench-fairshare")
	}
	h := newHouse(t, func(c *config.Config) { c.Database.MaxConns, c.Limits.Units = 16, 8 })
	go h.keepTime(t.Context())
	a, b, operator := h.tenant(t), h.tenant(t), h.operator(t)
	mustDo(t, operator.as().with("If-Match", "*").call(t, "PATCH", "/v1/tenants/"+a.id.String()+"/settings",
		setting("tenants.requests_per_second", fmt.Sprint(noisyRate))))
	server := httptest.NewServer(h.server)
	defer server.Close()
	address := server.URL + "/v1/users"
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
	ask(t.Context(), client, address, a.owner.token) // learns of the limit

	send(t.Context(), client, address, b.owner.token, quietRate, *fairshare/4) // warm
	quiet := send(t.Context(), client, address, b.owner.token, quietRate, *fairshare)
	var noisy result
	var all sync.WaitGroup
	all.Go(func() { noisy = send(t.Context(), client, address, a.owner.token, flood, *fairshare) })
	loud := send(t.Context(), client, address, b.owner.token, quietRate, *fairshare)
	all.Wait()

	ratio := float64(loud.at(0.95)) / float64(quiet.at(0.95))
	t.Logf("A: %d requests of %d/s allowed %d/s, answered %v", len(noisy.took), flood, noisyRate, noisy.answers)
	t.Logf("B quiet: p50 %s, p95 %s, answered %v", quiet.at(0.5), quiet.at(0.95), quiet.answers)
	t.Logf("B beside the flood: p50 %s, p95 %s, answered %v; p95 is %.2f times its quiet value", loud.at(0.5), loud.at(0.95), loud.answers, ratio)
	if loud.answers[http.StatusOK] != len(loud.took) {
		t.Errorf("B was refused: %v", loud.answers)
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
	return r.took[min(int(part*float64(len(r.took))), len(r.took)-1)].Round(10 * time.Microsecond)
}

// send sends requests at a rate, however long their answers take.
func send(ctx context.Context, client *http.Client, address, token string, perSecond int, length time.Duration) result {
	r := result{answers: map[int]int{}}
	var all sync.WaitGroup
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for end := time.Now().Add(length); time.Now().Before(end); <-tick.C {
		all.Go(func() {
			start := time.Now()
			status := ask(ctx, client, address, token)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.took = append(r.took, time.Since(start))
			r.answers[status]++
		})
	}
	all.Wait()
	slices.Sort(r.took)
	return result{took: r.took, answers: r.answers}
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
