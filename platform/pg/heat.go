package pg

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// heat counts who asks for connections lately, to tell the few tenants that
// make much of the load from the many that do not.
type heat struct {
	mu    sync.Mutex
	total int
	count map[uuid.UUID]int
	// fresh are the requests that nobody has taken note of yet (see take).
	fresh map[uuid.UUID]int
}

func newHeat() heat { return heat{count: map[uuid.UUID]int{}, fresh: map[uuid.UUID]int{}} }

// heatWindow is how many requests heat looks back on.
const heatWindow = 8192

// freshTenants bounds the tenants whose requests are counted until somebody
// takes note of them. Later ones wait for the next time.
const freshTenants = 50_000

// rise counts a request and reports whether the tenant makes more than one
// in share of all lately.
func (h *heat) rise(tenant uuid.UUID, share int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.total++; h.total > heatWindow {
		h.cool()
	}
	if counted := h.fresh[tenant]; counted > 0 || len(h.fresh) < freshTenants {
		h.fresh[tenant] = counted + 1
	}
	n := h.count[tenant] + 1
	h.count[tenant] = n
	return n*share > h.total
}

// cool lets what is past count half, and forgets who has not come for long.
func (h *heat) cool() {
	h.total = 0
	for tenant, n := range h.count {
		if n /= 2; n == 0 {
			delete(h.count, tenant)
			continue
		}
		h.count[tenant] = n
		h.total += n
	}
}

// take returns the requests since it was last called.
func (h *heat) take() map[uuid.UUID]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := h.fresh
	h.fresh = map[uuid.UUID]int{}
	return taken
}

// hottest lists the tenants of which wanted holds that ask for most, up to n.
func (h *heat) hottest(n int, wanted func(uuid.UUID) bool) []uuid.UUID {
	h.mu.Lock()
	count := maps.Clone(h.count)
	h.mu.Unlock()
	maps.DeleteFunc(count, func(t uuid.UUID, _ int) bool { return !wanted(t) })
	return busiest(count, n)
}

// busiest lists those who are counted most often, up to n.
func busiest(count map[uuid.UUID]int, n int) []uuid.UUID {
	all := slices.Collect(maps.Keys(count))
	slices.SortFunc(all, func(a, b uuid.UUID) int { return cmp.Or(count[b]-count[a], slices.Compare(a[:], b[:])) })
	return all[:min(n, len(all))]
}
