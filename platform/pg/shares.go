package pg

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/tenancy"
)

// Share is what a tenant may take of the database.
type Share struct {
	Units     int           // that may hold a connection at once; 0 for no limit
	Waiting   int           // that may wait for one, beyond which they are refused
	Statement time.Duration // longest time of a statement; 0 for no limit
	Lock      time.Duration // longest wait for a lock; 0 for no limit
}

// Shares says what share a tenant has now. It is asked for each connection.
type Shares func(tenant uuid.UUID) Share

// entrances let the units of work of a tenant to the connections, in the order
// they came, and never more at once than the tenant may have. So a tenant that
// asks for everything waits in its own queue, and not in front of the others.
type entrances struct {
	shares Shares
	mu     sync.Mutex
	open   map[uuid.UUID]*entrance
}

type entrance struct {
	busy    int
	waiting []chan struct{} // closed by who lets the waiting one in
}

func newEntrances(s Shares) *entrances {
	return &entrances{shares: s, open: map[uuid.UUID]*entrance{}}
}

// of is the share of a tenant; without shares nobody is limited.
func (e *entrances) of(tenant uuid.UUID) Share {
	if e.shares == nil {
		return Share{}
	}
	return e.shares(tenant)
}

// enter waits until a unit of work of the tenant may take a connection. It
// returns tenancy.ErrBusy when too many wait already. Who has entered leaves.
func (e *entrances) enter(ctx context.Context, tenant uuid.UUID, s Share) error {
	turn, err := e.ask(tenant, s)
	if turn == nil || err != nil {
		return err
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		e.giveUp(tenant, turn)
		return ctx.Err()
	}
}

// ask lets in at once, or returns the turn to wait for.
func (e *entrances) ask(tenant uuid.UUID, s Share) (turn chan struct{}, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, ok := e.open[tenant]
	if !ok {
		at = &entrance{}
		e.open[tenant] = at
	}
	switch {
	case s.Units <= 0, at.busy < s.Units:
		at.busy++
		return nil, nil
	case len(at.waiting) >= s.Waiting:
		return nil, tenancy.ErrBusy
	}
	turn = make(chan struct{})
	at.waiting = append(at.waiting, turn)
	return turn, nil
}

// giveUp takes one who waits out of the queue; one who has been let in at the
// same moment leaves.
func (e *entrances) giveUp(tenant uuid.UUID, turn chan struct{}) {
	e.mu.Lock()
	at := e.open[tenant]
	i := slices.Index(at.waiting, turn)
	if i >= 0 {
		at.waiting = slices.Delete(at.waiting, i, i+1)
	}
	e.mu.Unlock()
	if i < 0 {
		e.leave(tenant)
	}
}

// leave lets in those who wait, as far as the share allows by now.
func (e *entrances) leave(tenant uuid.UUID) {
	s := e.of(tenant)
	e.mu.Lock()
	defer e.mu.Unlock()
	at := e.open[tenant]
	at.busy--
	for len(at.waiting) > 0 && (s.Units <= 0 || at.busy < s.Units) {
		close(at.waiting[0])
		at.waiting = at.waiting[1:]
		at.busy++
	}
	if at.busy == 0 { // then nobody waits either
		delete(e.open, tenant)
	}
}
