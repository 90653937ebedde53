package infra

import (
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Bell tells the parts of this process that follow trails when a tenant has a
// new record. It knows what this process wrote, and nothing of other
// processes: whoever must not miss anything looks by itself now and then.
type Bell struct {
	mu        sync.Mutex
	fresh     map[uuid.UUID]struct{}
	listeners map[uuid.UUID]map[chan struct{}]struct{}
}

// NewBell makes the bell of a process.
func NewBell() *Bell {
	return &Bell{fresh: map[uuid.UUID]struct{}{}, listeners: map[uuid.UUID]map[chan struct{}]struct{}{}}
}

// Ring says that a tenant has a new record. It never waits.
func (b *Bell) Ring(tenant uuid.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fresh[tenant] = struct{}{}
	for heard := range b.listeners[tenant] {
		select {
		case heard <- struct{}{}:
		default: // it has not answered the last one yet
		}
	}
}

// Take lists the tenants with new records since it was last called.
func (b *Bell) Take() []uuid.UUID {
	b.mu.Lock()
	defer b.mu.Unlock()
	fresh := slices.Collect(maps.Keys(b.fresh))
	clear(b.fresh)
	return fresh
}

// Listen returns a channel that yields after new records of a tenant, any
// number of them at once. Call stop at the end.
func (b *Bell) Listen(tenant uuid.UUID) (heard <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners[tenant] == nil {
		b.listeners[tenant] = map[chan struct{}]struct{}{}
	}
	b.listeners[tenant][c] = struct{}{}
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners[tenant], c)
		if len(b.listeners[tenant]) == 0 {
			delete(b.listeners, tenant)
		}
	}
}
