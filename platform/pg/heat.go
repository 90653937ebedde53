package pg

import (
	"sync"

	"github.com/google/uuid"
)

// heat counts who asks for connections lately, to tell the few tenants that
// make much of the load from the many that do not.
type heat struct {
	mu    sync.Mutex
	total int
	count map[uuid.UUID]int
}

// heatWindow is how many requests heat looks back on.
const heatWindow = 8192

// rise counts a request and reports whether the tenant makes more than one
// in share of all lately.
func (h *heat) rise(tenant uuid.UUID, share int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.total++; h.total > heatWindow {
		h.cool()
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
