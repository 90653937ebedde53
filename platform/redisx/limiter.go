package redisx

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-redis/redis_rate/v10"
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

// Decision says whether an event may happen, and what a caller is told about the limit.
type Decision struct {
	Allowed    bool
	Limit      int           // events that may happen at once
	Remaining  int           // of them, how many may still happen now
	RetryAfter time.Duration // until the next event may happen; 0 when this one may
	Reset      time.Duration // until all of Limit may happen at once again
}

// Limiter decides about events by key, for all processes together through Redis. With Redis away each
// process decides alone, so that a limit holds per process instead of for all; it never stops deciding.
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

// Allow counts one event of key against the limit; keys of different limiters must differ. Errors are
// ErrLimit and the end of ctx.
func (l *Limiter) Allow(ctx context.Context, key Name, limit Limit) (Decision, error) {
	if limit.Rate < 1 || limit.Burst < 1 || limit.Period <= 0 {
		return Decision{}, ErrLimit
	}
	if err := ctx.Err(); err != nil {
		return Decision{}, err
	}
	decision, err := l.shared(ctx, key, limit)
	if errors.Is(err, ErrAway) {
		l.metrics.ObserveLimitFallback(l.name)
		decision, err = l.local.allow(key, limit), nil
	}
	if err != nil {
		return Decision{}, err
	}
	l.metrics.ObserveLimit(l.name, decision.Allowed)
	return decision, nil
}

func (l *Limiter) shared(ctx context.Context, key Name, limit Limit) (Decision, error) {
	var result *redis_rate.Result
	err := l.client.do(ctx, func(ctx context.Context, r redis.UniversalClient) (err error) {
		limiter := redis_rate.NewLimiter(ownKeys{r})
		result, err = limiter.Allow(ctx, key.text, redis_rate.Limit{Rate: limit.Rate, Burst: limit.Burst, Period: limit.Period})
		return err
	})
	if err != nil {
		return Decision{}, err
	}
	return Decision{
		Allowed: result.Allowed > 0, Limit: limit.Burst, Remaining: result.Remaining,
		RetryAfter: max(result.RetryAfter, 0), Reset: result.ResetAfter,
	}, nil
}

// ownKeys gives scripts the key names as we made them: the limiter's library puts a prefix of its own in
// front, and an access list in Redis that allows insula:* would then refuse them.
type ownKeys struct {
	redis.UniversalClient
}

const libraryPrefix = "rate:"

// Eval runs a script under our key names.
func (o ownKeys) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return o.UniversalClient.Eval(ctx, script, trimmed(keys), args...)
}

// EvalSha runs a script that Redis knows under our key names.
func (o ownKeys) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	return o.UniversalClient.EvalSha(ctx, sha, trimmed(keys), args...)
}

func trimmed(keys []string) []string {
	own := make([]string, len(keys))
	for i, key := range keys {
		own[i] = strings.TrimPrefix(key, libraryPrefix)
	}
	return own
}
