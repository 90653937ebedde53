package redisx

import (
	"sync"
	"time"

	"github.com/insulahq/insula/platform/clock"
)

const (
	failuresToOpen = 3                      // in a row: one slow answer is no outage
	openFor        = 500 * time.Millisecond // until one caller tries again
)

// circuit keeps callers from waiting for a Redis that does not answer: after some failures in a row it is
// open and nobody asks; after a while one caller may try, and its outcome decides for all.
type circuit struct {
	clock clock.Clock

	mu       sync.Mutex
	failures int
	openedAt time.Time
	trying   bool // one caller is finding out whether Redis is back
}

// enter reports whether the caller may ask. Each true must be followed by succeeded, failed or abandoned.
func (c *circuit) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failures < failuresToOpen {
		return true
	}
	if c.trying || c.resting() {
		return false
	}
	c.trying = true
	return true
}

func (c *circuit) succeeded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures, c.trying = 0, false
}

func (c *circuit) failed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures++
	c.openedAt, c.trying = c.clock.Now(), false
}

// abandoned says that nothing was learnt.
func (c *circuit) abandoned() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trying = false
}

func (c *circuit) isOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failures >= failuresToOpen && (c.trying || c.resting())
}

// resting is false when the clock was set back, which would otherwise prolong the rest by as much.
func (c *circuit) resting() bool {
	since := c.clock.Now().Sub(c.openedAt)
	return since >= 0 && since < openFor
}
