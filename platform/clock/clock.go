// Package clock tells the time to code that must not ask the machine for it: rules and services take a
// Clock, so that a test can choose the hour.
package clock

import (
	"sync"
	"time"
)

// Clock tells the present instant, in UTC, to the microsecond.
//
// Microseconds are what PostgreSQL keeps: a finer instant would come back from the database changed, and
// no longer equal to the one that was written.
type Clock interface {
	Now() time.Time
}

// System is the machine's clock.
type System struct{}

// Now returns the machine's time in UTC, cut to the microsecond.
func (System) Now() time.Time { return normal(time.Now()) }

// Manual is a clock that stands still until it is told to move. It is safe for concurrent use.
type Manual struct {
	mu  sync.Mutex
	now time.Time
}

// At returns a manual clock that stands at t.
func At(t time.Time) *Manual { return &Manual{now: normal(t)} }

// Now returns the instant the clock stands at.
func (m *Manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Advance moves the clock by d, backwards when d is negative, and returns the new instant.
func (m *Manual) Advance(d time.Duration) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = normal(m.now.Add(d))
	return m.now
}

// Set moves the clock to t.
func (m *Manual) Set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = normal(t)
}

func normal(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
