package infra

import (
	"context"
	"sync"

	"github.com/google/uuid"
)

// turns is a semaphore whose free slots go to tenants in turn, so that
// however many wait in one tenant, another's first waits for one round only.
type turns struct {
	mu      sync.Mutex
	free    int
	most    int                         // waiting in one tenant
	waiting map[uuid.UUID][]chan<- bool // in order of arrival; each has room for the answer
	round   []uuid.UUID                 // tenants with somebody waiting, the next first
}

func newTurns(slots, most int) *turns {
	return &turns{free: slots, most: most, waiting: map[uuid.UUID][]chan<- bool{}}
}

// take waits for a slot. It reports false when too many wait in the tenant or
// ctx ended first.
func (t *turns) take(ctx context.Context, tenant uuid.UUID) bool {
	if ctx.Err() != nil {
		return false
	}
	turn, ok := t.enqueue(tenant)
	if !ok {
		return false
	}
	select {
	case <-turn:
		return true
	case <-ctx.Done():
		return t.leave(tenant, turn)
	}
}

// enqueue returns a channel that yields when it is the caller's turn, which
// is at once while slots are free.
func (t *turns) enqueue(tenant uuid.UUID) (turn chan bool, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	turn = make(chan bool, 1)
	queue := t.waiting[tenant]
	switch {
	case t.free > 0:
		t.free--
		turn <- true
		return turn, true
	case len(queue) >= t.most:
		return nil, false
	case len(queue) == 0:
		t.round = append(t.round, tenant)
	}
	t.waiting[tenant] = append(queue, turn)
	return turn, true
}

// leave gives up waiting; it reports true when the turn came just then.
func (t *turns) leave(tenant uuid.UUID, turn chan bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	queue := t.waiting[tenant]
	for i, other := range queue {
		if other == (chan<- bool)(turn) {
			t.keep(tenant, append(queue[:i:i], queue[i+1:]...))
			return false
		}
	}
	return true // it is not waiting any more, so it was called
}

// give hands a slot to whose turn it is.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.round) == 0 {
		t.free++
		return
	}
	tenant := t.round[0]
	t.round = t.round[1:]
	queue := t.waiting[tenant]
	queue[0] <- true
	if len(queue) > 1 {
		t.round = append(t.round, tenant)
		t.waiting[tenant] = queue[1:]
		return
	}
	delete(t.waiting, tenant)
}

// keep stores who still waits in a tenant.
func (t *turns) keep(tenant uuid.UUID, queue []chan<- bool) {
	if len(queue) > 0 {
		t.waiting[tenant] = queue
		return
	}
	delete(t.waiting, tenant)
	for i, other := range t.round {
		if other == tenant {
			t.round = append(t.round[:i:i], t.round[i+1:]...)
			return
		}
	}
}
