package tenancy

import (
	"context"
	"sync"

	"github.com/google/uuid"
)

// turns keeps those apart who read the same tenant's settings, so that the last
// to store is the last to have read. Who reads those of another tenant waits
// for nobody: one whose database is slow holds up itself alone.
type turns struct {
	mu    sync.Mutex
	taken map[uuid.UUID]*turn
}

type turn struct {
	free   chan struct{} // holds one while nobody reads
	wanted int           // by those who read and those who wait
}

// begin waits for a tenant's turn, or for the end of ctx, whose error it
// returns then. Call end after reading.
func (t *turns) begin(ctx context.Context, tenant uuid.UUID) (end func(), err error) {
	mine := t.join(tenant)
	select {
	case <-mine.free:
		return func() {
			mine.free <- struct{}{}
			t.leave(tenant, mine)
		}, nil
	case <-ctx.Done():
		t.leave(tenant, mine)
		return nil, ctx.Err()
	}
}

func (t *turns) join(tenant uuid.UUID) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := t.taken[tenant]
	if mine == nil {
		mine = &turn{free: make(chan struct{}, 1)}
		mine.free <- struct{}{}
		t.taken[tenant] = mine
	}
	mine.wanted++
	return mine
}

func (t *turns) leave(tenant uuid.UUID, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.wanted--; mine.wanted == 0 {
		delete(t.taken, tenant)
	}
}
