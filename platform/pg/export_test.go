package pg

import (
	"time"

	"github.com/google/uuid"
)

// Waiting is how many reads of one row wait in a pool to travel together.
func (p *Pool) Waiting() (n int) {
	for _, s := range p.shards.all {
		s.quick.mu.Lock()
		n += len(s.quick.waiting)
		s.quick.mu.Unlock()
	}
	return n
}

// SameHome reports whether two tenants have their home on one connection.
func (p *Pool) SameHome(a, b uuid.UUID) bool {
	first, _ := p.shards.homes(a)
	second, _ := p.shards.homes(b)
	return first == second
}

// MoveKey is the key of the lock of a move.
func MoveKey(schema string) int64 { return aloneKey(moveID(schema)) }

// Hasty has a carrier try a swap only so often.
func (c *Carrier) Hasty(tries int) {
	c.patience = patience{lock: 50 * time.Millisecond, pause: time.Millisecond, longest: time.Millisecond, tries: tries}
}
