package pg

import (
	"sync"
	"sync/atomic"
	"time"
)

// A backend keeps what it has learned of every schema it met until it ends:
// catalog entries of the relations, and plans. Its memory cannot be seen from
// outside at a price that a request would pay (the server counts through
// thousands of pieces), so a session estimates it from what makes it grow. The
// pieces were measured in backends that knew thousands of tenants; see
// docs/performance.md.
const (
	emptyBackend = 2 << 20
	// relationsMemory is what the first run of a statement for a tenant adds: the
	// catalog entries of the tables it touches and of their indexes.
	relationsMemory = 36 << 10
	// planMemory is a prepared statement with its plan.
	planMemory = 24 << 10
)

// DefaultBackendMemory bounds a backend where nothing else is said.
const DefaultBackendMemory = 128 << 20

// turnover lets worn connections end one after the other, so that never many
// are new at once, which would all have to learn again.
type turnover struct {
	mu    sync.Mutex
	last  time.Time
	total atomic.Int64
}

// turnoverPause is the least time between the ends of two connections.
const turnoverPause = 2 * time.Second

// take reports whether it is the turn of a worn connection now. One that must end
// waits for none.
func (t *turnover) take(now time.Time, must bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !must && now.Sub(t.last) < turnoverPause {
		return false
	}
	t.last = now
	t.total.Add(1)
	return true
}

// overdue is the memory at which a worn connection ends, its turn or not: where
// many grow fast the turns come too slowly to bound them.
func overdue(limit int64) int64 { return limit + limit/4 }

// wearLimit is the memory at which the number-th connection of a pool is worn:
// connections that grow alike get there one after the other, before they come to bound.
func wearLimit(bound int64, number uint64) int64 {
	if bound <= 0 {
		bound = DefaultBackendMemory
	}
	return bound * int64(12+number%5) / 16 // 75 to 100 per cent
}
