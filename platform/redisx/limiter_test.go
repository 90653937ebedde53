package redisx_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/telemetry"
)

var slow = redisx.Limit{Rate: 1, Burst: 3, Period: time.Hour} // three at once, then nothing within a test

func allow(t *testing.T, l *redisx.Limiter, key redisx.Name, limit redisx.Limit) redisx.Decision {
	t.Helper()
	d, err := l.Allow(context.Background(), ask(key, limit))
	if err != nil {
		t.Fatal(err)
	}
	return d[0]
}

func ask(key redisx.Name, limit redisx.Limit) redisx.Ask {
	return redisx.Ask{Policy: "test", Key: key, Limit: limit}
}

// An event counts against all its limits or, when one has no room, against none.
func TestLimitsTogether(t *testing.T) {
	onEachServer(t, func(t *testing.T, s server) {
		for name, client := range map[string]*redisx.Client{"shared": open(t, s, clock.System{}), "alone": nowhere(t)} {
			t.Run(name, func(t *testing.T) {
				l := redisx.NewLimiter(client, "http", clock.System{}, nil)
				wide, narrow := ask(redisx.Key(acme, name, "tenant"), redisx.Limit{Rate: 1, Burst: 9, Period: time.Hour}), ask(redisx.Key(acme, name, "user"), slow)
				for i := range 5 {
					d, err := l.Allow(context.Background(), wide, narrow)
					if err != nil {
						t.Fatal(err)
					}
					counted := min(i+1, 3)
					if !d[0].Allowed || d[0].Remaining != 9-counted || d[1].Allowed != (i < 3) || d[1].Remaining != 3-counted {
						t.Errorf("event %d: %+v", i, d)
					}
				}
				if d := allow(t, l, wide.Key, wide.Limit); d.Remaining != 5 {
					t.Errorf("events that the narrow limit refused count against the wide one: %+v", d)
				}
			})
		}
	})
}

// nowhere is a client without a Redis.
func nowhere(t *testing.T) *redisx.Client {
	t.Helper()
	client, err := redisx.Open(away, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestLimiterContract(t *testing.T) {
	onEachServer(t, func(t *testing.T, s server) {
		registry := prometheus.NewRegistry()
		l := redisx.NewLimiter(open(t, s, clock.System{}), "user", clock.System{}, telemetry.NewMetrics(registry))
		key := redisx.Key(acme, "rate", "user")
		for i := range 3 {
			if d := allow(t, l, key, slow); !d.Allowed || d.Limit != 3 || d.Remaining != 2-i || d.RetryAfter != 0 || d.Reset <= 0 {
				t.Errorf("event %d: %+v", i, d)
			}
		}
		d := allow(t, l, key, slow)
		if d.Allowed || d.Limit != 3 || d.Remaining != 0 || d.RetryAfter < 50*time.Minute || d.RetryAfter > time.Hour || d.Reset < d.RetryAfter {
			t.Errorf("event above the limit: %+v", d)
		}
		if d := allow(t, l, redisx.Key(globex, "rate", "user"), slow); !d.Allowed {
			t.Error("one tenant's events count for another")
		}
		if n := raw(t, s).Exists(context.Background(), key.String()).Val(); n != 1 {
			t.Error("the key in Redis is not the one we named")
		}
		if ttl := raw(t, s).PTTL(context.Background(), key.String()).Val(); ttl <= 0 {
			t.Errorf("the key lives for %v", ttl)
		}
		wantMetric(t, registry, `insula_limiter_decisions_total{limiter="user",outcome="allowed",policy="test"} 4`)
		wantMetric(t, registry, `insula_limiter_decisions_total{limiter="user",outcome="refused",policy="test"} 1`)
	})
}

func TestLimiterRefills(t *testing.T) {
	onEachServer(t, func(t *testing.T, s server) {
		l := redisx.NewLimiter(open(t, s, clock.System{}), "user", clock.System{}, nil)
		quick := redisx.Limit{Rate: 10, Burst: 1, Period: time.Second}
		if !allow(t, l, redisx.Key(acme), quick).Allowed || allow(t, l, redisx.Key(acme), quick).Allowed {
			t.Fatal("the limit does not hold")
		}
		eventually(t, "a new event is allowed", func() bool { return allow(t, l, redisx.Key(acme), quick).Allowed })
	})
}

func TestProcessesShareALimit(t *testing.T) {
	onEachServer(t, func(t *testing.T, s server) {
		var allowed atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			l := redisx.NewLimiter(open(t, s, clock.System{}), "user", clock.System{}, nil)
			for range 5 {
				wg.Go(func() {
					if d, err := l.Allow(context.Background(), ask(redisx.Key(acme), slow)); err == nil && d[0].Allowed {
						allowed.Add(1)
					}
				})
			}
		}
		wg.Wait()
		if allowed.Load() != 3 {
			t.Errorf("%d events allowed, want 3", allowed.Load())
		}
	})
}

func TestLimiterDecidesAloneWhileRedisIsAway(t *testing.T) {
	m := miniredis.RunT(t)
	m.RequireAuth(password)
	s := &mini{m}
	registry := prometheus.NewRegistry()
	now := clock.At(noon)
	client := open(t, s, now)
	l := redisx.NewLimiter(client, "user", now, telemetry.NewMetrics(registry))
	key := redisx.Key(acme, "rate")

	for range 2 {
		allow(t, l, key, slow)
	}
	s.stop(t)
	for i := range 4 {
		if d := allow(t, l, key, slow); d.Allowed != (i < 3) {
			t.Errorf("alone, event %d: %+v", i, d)
		}
	}
	wantMetric(t, registry, `insula_limiter_fallback_total{limiter="user"} 4`)

	s.start(t)
	eventually(t, "Redis is found again", func() bool {
		now.Advance(time.Second)
		return client.Ready(context.Background()) == nil
	})
	if d := allow(t, l, key, slow); !d.Allowed || d.Remaining != 0 {
		t.Errorf("back, third shared event: %+v", d)
	}
	if d := allow(t, l, key, slow); d.Allowed {
		t.Errorf("back, fourth shared event: %+v", d)
	}
	wantMetric(t, registry, `insula_limiter_fallback_total{limiter="user"} 4`)
}

func TestLocalDecisionsOverTime(t *testing.T) {
	now := clock.At(noon)
	client, err := redisx.Open(away, now)
	if err != nil {
		t.Fatal(err)
	}
	l := redisx.NewLimiter(client, "user", now, nil)
	limit := redisx.Limit{Rate: 2, Burst: 3, Period: time.Second}
	key := redisx.GlobalKey("x")
	for _, step := range []struct {
		advance time.Duration
		want    redisx.Decision
	}{
		{0, redisx.Decision{Allowed: true, Limit: 3, Remaining: 2, Reset: 500 * time.Millisecond}},
		{0, redisx.Decision{Allowed: true, Limit: 3, Remaining: 1, Reset: time.Second}},
		{0, redisx.Decision{Allowed: true, Limit: 3, Remaining: 0, Reset: 1500 * time.Millisecond}},
		{0, redisx.Decision{Limit: 3, RetryAfter: 500 * time.Millisecond, Reset: 1500 * time.Millisecond}},
		{400 * time.Millisecond, redisx.Decision{Limit: 3, RetryAfter: 100 * time.Millisecond, Reset: 1100 * time.Millisecond}},
		{100 * time.Millisecond, redisx.Decision{Allowed: true, Limit: 3, Remaining: 0, Reset: 1500 * time.Millisecond}},
		{time.Hour, redisx.Decision{Allowed: true, Limit: 3, Remaining: 2, Reset: 500 * time.Millisecond}},
		{-2 * time.Hour, redisx.Decision{Allowed: true, Limit: 3, Remaining: 2, Reset: 500 * time.Millisecond}},
	} {
		now.Advance(step.advance)
		if got := allow(t, l, key, limit); got != step.want {
			t.Errorf("after %v: got %+v, want %+v", step.advance, got, step.want)
		}
	}
}

func TestLocalMemoryIsBounded(t *testing.T) {
	now := clock.At(noon)
	client, err := redisx.Open(away, now)
	if err != nil {
		t.Fatal(err)
	}
	l := redisx.NewLimiter(client, "user", now, nil)
	once := redisx.Limit{Rate: 1, Burst: 1, Period: time.Hour}
	allow(t, l, redisx.GlobalKey("first"), once)
	if allow(t, l, redisx.GlobalKey("first"), once).Allowed {
		t.Fatal("the limit does not hold")
	}
	for i := range 16_384 {
		allow(t, l, redisx.GlobalKey(fmt.Sprint(i)), once)
	}
	if !allow(t, l, redisx.GlobalKey("first"), once).Allowed {
		t.Error("the first of 16,385 keys is still remembered")
	}
}

func TestLimiterRefusesNonsense(t *testing.T) {
	client, err := redisx.Open(away, clock.At(noon))
	if err != nil {
		t.Fatal(err)
	}
	l := redisx.NewLimiter(client, "user", clock.At(noon), nil)
	for _, limit := range []redisx.Limit{{}, {Rate: 1, Burst: 1}, {Rate: 1, Period: 1}, {Burst: 1, Period: 1}, {Rate: -1, Burst: 1, Period: 1}} {
		if _, err := l.Allow(context.Background(), ask(redisx.GlobalKey("x"), limit)); !errors.Is(err, redisx.ErrLimit) {
			t.Errorf("%+v: error = %v", limit, err)
		}
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Allow(gone, ask(redisx.GlobalKey("x"), slow)); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}
