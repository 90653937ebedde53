package redisx

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/insulahq/insula/platform/clock"
)

// localKeys bounds what a process remembers when it limits alone. A key that is pushed out starts afresh.
const localKeys = 16_384

// localLimiter decides by the generic cell rate algorithm, as Redis does. Per key it keeps one instant: when
// all events so far are paid for, if one costs Period/Rate.
type localLimiter struct {
	clock clock.Clock
	mu    sync.Mutex
	paid  *simplelru.LRU[Name, time.Time]
}

func newLocalLimiter(c clock.Clock, keys int) *localLimiter {
	paid, err := simplelru.NewLRU[Name, time.Time](keys, nil)
	if err != nil {
		panic(err) // keys is a constant above 0
	}
	return &localLimiter{clock: c, paid: paid}
}

func (l *localLimiter) allow(key Name, limit Limit) Decision {
	cost := max(limit.Period/time.Duration(limit.Rate), 1)
	credit := cost * time.Duration(limit.Burst)

	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	paid, known := l.paid.Get(key)
	if !known || paid.Before(now) || paid.Sub(now) > credit { // the last: the clock was set back
		paid = now
	}
	next := paid.Add(cost)
	if wait := next.Sub(now) - credit; wait > 0 {
		return Decision{Limit: limit.Burst, RetryAfter: wait, Reset: paid.Sub(now)}
	}
	l.paid.Add(key, next)
	owed := next.Sub(now)
	return Decision{Allowed: true, Limit: limit.Burst, Remaining: int((credit - owed) / cost), Reset: owed}
}
