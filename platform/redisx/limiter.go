package redisx

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/telemetry"
)

// ErrLimit says that a limit has no rate, burst or period.
var ErrLimit = errors.New("limit needs a rate, a burst and a period")

// Limit allows Rate events per Period, and Burst of them at once.
type Limit struct {
	Rate   int
	Burst  int
	Period time.Duration
}

// cost is the time that pays for one event.
func (l Limit) cost() time.Duration {
	return max((l.Period / time.Duration(l.Rate)).Truncate(time.Microsecond), time.Microsecond)
}

// credit is how far ahead of the clock events may be.
func (l Limit) credit() time.Duration { return l.cost() * time.Duration(l.Burst) }

// Ask is one limit that an event counts against.
type Ask struct {
	Policy string // what the limit is for, in metrics: "tenant", "user"
	Key    Name   // whose events are counted; no two policies share one
	Limit  Limit
}

// Decision says whether one limit has room for an event, and what a caller is told about the limit.
type Decision struct {
	Allowed    bool
	Limit      int           // events that may happen at once
	Remaining  int           // of them, how many may still happen now
	RetryAfter time.Duration // until the next event may happen; 0 when this one may
	Reset      time.Duration // until all of Limit may happen at once again
}

// decide makes the decision of a limit that owes this much time: after an event that was counted, or
// before one that was not.
func (l Limit) decide(owed time.Duration, counted bool) Decision {
	d := Decision{Allowed: true, Limit: l.Burst, Remaining: int((l.credit() - owed) / l.cost()), Reset: owed}
	if wait := owed + l.cost() - l.credit(); wait > 0 && !counted {
		d.Allowed, d.Remaining, d.RetryAfter = false, 0, wait
	}
	return d
}

// Limiter decides about events by key, for all processes together through Redis. With Redis away each
// process decides alone, so that a limit holds per process instead of for all; it never stops deciding.
//
// It is the generic cell rate algorithm: per key it keeps one instant, when all events so far are paid for,
// if one costs Period/Rate. Redis (limiter.lua) and a process alone (local.go) do the same sums.
type Limiter struct {
	client  *Client
	name    string
	local   *localLimiter
	metrics *telemetry.Metrics
}

// NewLimiter returns the limiter of this name, under which its metrics appear.
func NewLimiter(client *Client, name string, c clock.Clock, metrics *telemetry.Metrics) *Limiter {
	return &Limiter{client: client, name: name, local: newLocalLimiter(c, localKeys), metrics: metrics}
}

// Allow counts one event against all the limits asked for, or, when one of them has no room, against none.
// The decisions are in the order of asks, whose keys belong to one scope. It takes one trip to Redis.
// Errors are ErrLimit and the end of ctx.
func (l *Limiter) Allow(ctx context.Context, asks ...Ask) ([]Decision, error) {
	for _, a := range asks {
		if a.Limit.Rate < 1 || a.Limit.Burst < 1 || a.Limit.Period <= 0 {
			return nil, ErrLimit
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	owed, counted, err := l.shared(ctx, asks)
	if errors.Is(err, ErrAway) {
		l.metrics.ObserveLimitFallback(l.name)
		owed, counted = l.local.take(asks)
	} else if err != nil {
		return nil, err
	}
	decisions := make([]Decision, len(asks))
	for i, a := range asks {
		decisions[i] = a.Limit.decide(owed[i], counted)
		l.metrics.ObserveLimit(l.name, a.Policy, decisions[i].Allowed)
	}
	return decisions, nil
}

//go:embed limiter.lua
var limiterSource string

// script is known to Redis by its hash after the first use.
var script = redis.NewScript(limiterSource)

// shared lets Redis decide. It returns how much time each limit owes, and whether the event was counted.
func (l *Limiter) shared(ctx context.Context, asks []Ask) (owed []time.Duration, counted bool, err error) {
	keys, args := make([]string, len(asks)), make([]any, 0, 2*len(asks))
	for i, a := range asks {
		keys[i] = a.Key.text
		args = append(args, a.Limit.cost().Microseconds(), a.Limit.credit().Microseconds())
	}
	var answer []int64
	err = l.client.do(ctx, func(ctx context.Context, r redis.UniversalClient) (err error) {
		answer, err = script.Run(ctx, r, keys, args...).Int64Slice()
		if err == nil && len(answer) != len(asks)+1 {
			err = fmt.Errorf("limiter script answered %d numbers", len(answer))
		}
		return err
	})
	if err != nil {
		return nil, false, err
	}
	for _, micros := range answer[1:] {
		owed = append(owed, time.Duration(micros)*time.Microsecond)
	}
	return owed, answer[0] == 1, nil
}
