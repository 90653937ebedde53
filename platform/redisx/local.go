package redisx

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/insulahq/insula/platform/clock"
)

// localKeys bounds what a process remembers when it limits alone. A key that is pushed out starts afresh.
const localKeys = 16_384

// localLimiter decides as limiter.lua does, for one process.
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

// take counts an event if every limit has room for it. It returns how much time each owes then.
func (l *localLimiter) take(asks []Ask) (owed []time.Duration, counted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	owed, counted = make([]time.Duration, len(asks)), true
	for i, a := range asks {
		owed[i] = l.owed(a, now)
		counted = counted && owed[i]+a.Limit.cost() <= a.Limit.credit()
	}
	if !counted {
		return owed, false
	}
	for i, a := range asks {
		owed[i] += a.Limit.cost()
		l.paid.Add(a.Key, now.Add(owed[i]))
	}
	return owed, true
}

func (l *localLimiter) owed(a Ask, now time.Time) time.Duration {
	paid, known := l.paid.Get(a.Key)
	owed := paid.Sub(now)
	if !known || owed < 0 || owed > a.Limit.credit() { // the last: the clock was set back
		return 0
	}
	return owed
}
