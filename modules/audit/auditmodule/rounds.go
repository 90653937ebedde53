package auditmodule

import (
	"sync"
	"time"

	"github.com/google/uuid"
)

// retryAfter is how soon what failed is tried again, however long a tenant's
// records wait otherwise.
const retryAfter = 10 * time.Second

// rounds are the trails that have something to seal, since when.
type rounds struct {
	mu      sync.Mutex
	waiting map[uuid.UUID]wait
}

type wait struct {
	since  time.Time
	failed bool // it was tried then
}

func newRounds() *rounds { return &rounds{waiting: map[uuid.UUID]wait{}} }

// begin lets trails wait from now on, unless they are waiting already.
func (r *rounds) begin(now time.Time, tenants ...uuid.UUID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range tenants {
		if _, already := r.waiting[t]; !already {
			r.waiting[t] = wait{since: now}
		}
	}
}

// failed lets a trail wait for another try.
func (r *rounds) failed(now time.Time, tenant uuid.UUID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting[tenant] = wait{since: now, failed: true}
}

// take takes the trails out that have waited for as long as they should.
func (r *rounds) take(now time.Time, every func(uuid.UUID) time.Duration) (due []uuid.UUID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for t, w := range r.waiting {
		long := every(t)
		if w.failed {
			long = min(long, retryAfter)
		}
		if now.Sub(w.since) >= long {
			due = append(due, t)
			delete(r.waiting, t)
		}
	}
	return due
}

// takeAll takes all trails out.
func (r *rounds) takeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.waiting)
}
