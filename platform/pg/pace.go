package pg

import (
	"sync/atomic"
	"time"
)

const (
	// leastPatience is how long a connection may be kept before nobody waits for it
	// any more while there are others: longer than reads and most units of work
	// take, and too short to be felt. Statements that wait for a lock take longer.
	leastPatience = 20 * time.Millisecond
	// mostPatience bounds the wait on a machine that is slow by itself.
	mostPatience = 150 * time.Millisecond
	// patienceTrips: so many times what nine of ten trips take is not slowness any more.
	patienceTrips = 8
)

// pace is how long nine of ten trips to the server take lately. On a busy
// machine, or while much is met for the first time, all of them take long; who
// then turned to another connection would meet it for the first time too, and
// make everything slower still. So patience grows with the pace.
type pace struct{ slow atomic.Int64 } // nanoseconds

// saw learns from a trip: the estimate goes up by nine steps for each that took
// longer and down by one for each that did not, so it rests where nine of ten do
// not. What takes longer than anybody would wait for says nothing of the others,
// as behind a lock, unless statements were met for the first time.
func (p *pace) saw(took time.Duration, first bool) {
	if took > p.patience() && !first {
		return
	}
	slow := p.slow.Load()
	if int64(took) > slow {
		slow += slow*9/64 + int64(time.Microsecond)
	} else {
		slow -= slow / 64
	}
	p.slow.Store(slow) // one of two at the same time may be lost
}

// patience is how long to wait behind one who has a connection.
func (p *pace) patience() time.Duration {
	if p == nil {
		return leastPatience
	}
	return min(max(leastPatience, patienceTrips*time.Duration(p.slow.Load())), mostPatience)
}
