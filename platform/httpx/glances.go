package httpx

import (
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/insulahq/insula/platform/clock"
)

const (
	// glanceEvery is how often a tenant that is refused is looked at: its limit
	// may have been raised at another node, which takes all that it lets through.
	glanceEvery = time.Second
	// glancesKept bounds the tenants of which is known when that was.
	glancesKept = 10_000
)

// glances lets one refused request of a tenant through to its settings now and
// then, and no more.
type glances struct {
	clock clock.Clock
	mu    sync.Mutex
	last  *simplelru.LRU[uuid.UUID, time.Time]
}

func newGlances(c clock.Clock) *glances {
	last, err := simplelru.NewLRU[uuid.UUID, time.Time](glancesKept, nil)
	if err != nil {
		panic(err) // only for a size that is not positive
	}
	return &glances{clock: c, last: last}
}

// due reports whether the tenant is to be looked at, and takes that for done.
func (g *glances) due(tenant uuid.UUID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.Now()
	if last, ok := g.last.Get(tenant); ok && now.Sub(last) < glanceEvery && !now.Before(last) {
		return false
	}
	g.last.Add(tenant, now)
	return true
}
