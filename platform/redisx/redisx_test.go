package redisx_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/telemetry"
)

var (
	acme   = uuid.MustParse("0199d3a0-0000-7000-8000-00000000000a")
	globex = uuid.MustParse("0199d3a0-0000-7000-8000-00000000000b")
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	away   = secret.Value{}
)

type role struct {
	Name string
	N    int
}

func TestKeyNames(t *testing.T) {
	long := strings.Repeat("x", 101)
	for _, tt := range []struct {
		name redisx.Name
		want string
	}{
		{redisx.Key(acme), "insula:{" + acme.String() + "}"},
		{redisx.Key(acme, "a", "b"), "insula:{" + acme.String() + "}:a:b"},
		{redisx.Key(acme, ""), "insula:{" + acme.String() + "}:"},
		{redisx.GlobalKey("a:{b}%"), "insula:{global}:a%3A%7Bb%7D%25"},
		{redisx.GlobalKey("~"), "insula:{global}:%7E"},
		{redisx.GlobalKey(long[:100]), "insula:{global}:" + long[:100]},
	} {
		if tt.name.String() != tt.want {
			t.Errorf("got %s, want %s", tt.name, tt.want)
		}
	}
	hashed := redisx.GlobalKey(long).String()
	if len(hashed) != len("insula:{global}:~")+64 || !strings.HasPrefix(hashed, "insula:{global}:~") {
		t.Errorf("long part gives %s", hashed)
	}
}

func TestNoPartForgesAnotherKey(t *testing.T) {
	part := rapid.OneOf(
		rapid.StringOf(rapid.SampledFrom([]rune(":{}%~2537ABDEab"))),
		rapid.String(),
		rapid.SampledFrom([]string{acme.String(), "{" + globex.String() + "}", "}:{global", strings.Repeat(":", 150)}),
	)
	scope := rapid.SampledFrom([]redisx.Scope{redisx.Tenant(acme), redisx.Tenant(globex), redisx.Global})
	rapid.Check(t, func(t *rapid.T) {
		s1, s2 := scope.Draw(t, "scope1"), scope.Draw(t, "scope2")
		p1, p2 := rapid.SliceOfN(part, 0, 4).Draw(t, "parts1"), rapid.SliceOfN(part, 0, 4).Draw(t, "parts2")
		k1, k2 := s1.Key(p1...), s2.Key(p2...)
		same := s1 == s2 && fmt.Sprintf("%q", p1) == fmt.Sprintf("%q", p2)
		if (k1 == k2) != same {
			t.Fatalf("%q and %q give %s and %s", p1, p2, k1, k2)
		}
		if strings.Count(k1.String(), "{") != 1 || strings.Count(k1.String(), "}") != 1 {
			t.Fatalf("%s has braces beside the scope's", k1)
		}
	})
}

func TestKeysNeedAScope(t *testing.T) {
	for name, make := range map[string]func(){
		"zero tenant": func() { redisx.Key(uuid.Nil, "a") },
		"zero scope":  func() { redisx.Scope{}.Key("a") },
		"no ttl":      func() { redisx.NewCache[int](nil, "x", 0, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			make()
		}()
	}
}

func TestOpenReadsTheURLAndNeverQuotesIt(t *testing.T) {
	for _, good := range []string{
		"redis://127.0.0.1:1", "redis://u:hunter2@127.0.0.1:1/3", "rediss://127.0.0.1:1/0",
		"redis://:hunter2@127.0.0.1:1?addr=127.0.0.1:2", "redis://127.0.0.1:1?cluster=true",
	} {
		c, err := redisx.Open(secret.New(good), clock.System{})
		if err != nil || !c.Configured() || c.Away() {
			t.Errorf("%s: %v", good, err)
			continue
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"http://:hunter2@h", "redis://:hunter2@h:x", "redis://:hunter2@h/notanumber", "redis://:hunter2@h\x7f", "redis://:hunter2@h?odd=1"} {
		if _, err := redisx.Open(secret.New(bad), clock.System{}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: error = %v", bad, err)
		}
	}
}

func TestCacheContract(t *testing.T) {
	onEachServer(t, func(t *testing.T, s server) {
		ctx := context.Background()
		registry := prometheus.NewRegistry()
		client := open(t, s, clock.System{})
		roles := redisx.NewCache[role](client, "roles", time.Minute, telemetry.NewMetrics(registry))
		others := redisx.NewCache[role](client, "others", time.Minute, nil)
		want := role{"admin", 3}

		if err := client.Ready(ctx); err != nil {
			t.Fatal(err)
		}
		mustMiss(t, roles, redisx.Tenant(acme), "k")
		if err := roles.Set(ctx, redisx.Tenant(acme), "k", want); err != nil {
			t.Fatal(err)
		}
		if got, ok := roles.Get(ctx, redisx.Tenant(acme), "k"); !ok || got != want {
			t.Errorf("got %v, %v", got, ok)
		}
		mustMiss(t, roles, redisx.Tenant(globex), "k")
		mustMiss(t, roles, redisx.Global, "k")
		mustMiss(t, others, redisx.Tenant(acme), "k")

		name := redisx.Key(acme, "cache", "roles", "k").String()
		if ttl := raw(t, s).PTTL(ctx, name).Val(); ttl <= 0 || ttl > time.Minute {
			t.Errorf("time to live = %v", ttl)
		}
		if err := raw(t, s).Set(ctx, name, `{"Name":"half`, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		mustMiss(t, roles, redisx.Tenant(acme), "k")

		if err := roles.Set(ctx, redisx.Tenant(acme), "k", want); err != nil {
			t.Fatal(err)
		}
		if err := roles.Delete(ctx, redisx.Tenant(acme), "k"); err != nil {
			t.Fatal(err)
		}
		mustMiss(t, roles, redisx.Tenant(acme), "k")
		wantMetric(t, registry, `insula_cache_lookups_total{cache="roles",outcome="hit"} 1`)
		wantMetric(t, registry, `insula_cache_lookups_total{cache="roles",outcome="miss"} 5`)
	})
}

func mustMiss(t *testing.T, c *redisx.Cache[role], scope redisx.Scope, key string) {
	t.Helper()
	if got, ok := c.Get(context.Background(), scope, key); ok || got != (role{}) {
		t.Errorf("got %v, %v from an empty place", got, ok)
	}
}

func wantMetric(t *testing.T, registry *prometheus.Registry, line string) {
	t.Helper()
	answer := httptest.NewRecorder()
	telemetry.AdminHandler(registry).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if !strings.Contains(answer.Body.String(), line+"\n") {
		t.Errorf("want %s in:\n%s", line, answer.Body)
	}
}

func TestCacheLoadsFromTheSourceOnce(t *testing.T) {
	onEachServer(t, func(t *testing.T, s server) {
		cache := redisx.NewCache[role](open(t, s, clock.System{}), "roles", time.Minute, nil)
		loads := 0
		load := func(context.Context) (role, error) { loads++; return role{"member", loads}, nil }
		for range 3 {
			got, err := cache.Load(context.Background(), redisx.Tenant(acme), "k", load)
			if err != nil || got != (role{"member", 1}) {
				t.Errorf("got %v, %v", got, err)
			}
		}
		broken := errors.New("broken")
		_, err := cache.Load(context.Background(), redisx.Tenant(acme), "other", func(context.Context) (role, error) { return role{}, broken })
		if !errors.Is(err, broken) {
			t.Errorf("error = %v", err)
		}
		mustMiss(t, cache, redisx.Tenant(acme), "other")
	})
}

func TestCachedValuesEnd(t *testing.T) {
	m := miniredis.RunT(t)
	m.RequireAuth(password)
	cache := redisx.NewCache[role](open(t, &mini{m}, clock.System{}), "roles", time.Minute, nil)
	if err := cache.Set(context.Background(), redisx.Tenant(acme), "k", role{}); err != nil {
		t.Fatal(err)
	}
	m.FastForward(time.Minute)
	mustMiss(t, cache, redisx.Tenant(acme), "k")
}

func TestEverythingWorksWithoutRedis(t *testing.T) {
	ctx := context.Background()
	client, err := redisx.Open(away, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	if client.Configured() || !client.Away() || !errors.Is(client.Ready(ctx), redisx.ErrAway) {
		t.Error("a client without Redis does not say so")
	}
	registry := prometheus.NewRegistry()
	metrics := telemetry.NewMetrics(registry)
	cache := redisx.NewCache[role](client, "roles", time.Minute, metrics)
	if err := cache.Set(ctx, redisx.Tenant(acme), "k", role{}); !errors.Is(err, redisx.ErrAway) {
		t.Errorf("set: %v", err)
	}
	if err := cache.Delete(ctx, redisx.Tenant(acme), "k"); !errors.Is(err, redisx.ErrAway) {
		t.Errorf("delete: %v", err)
	}
	mustMiss(t, cache, redisx.Tenant(acme), "k")
	got, err := cache.Load(ctx, redisx.Tenant(acme), "k", func(context.Context) (role, error) { return role{"source", 1}, nil })
	if err != nil || got.Name != "source" {
		t.Errorf("load: %v, %v", got, err)
	}
	limiter := redisx.NewLimiter(client, "user", clock.At(noon), metrics)
	if d, err := limiter.Allow(ctx, ask(redisx.Key(acme), redisx.Limit{Rate: 1, Burst: 1, Period: time.Second})); err != nil || !d[0].Allowed {
		t.Errorf("allow: %+v, %v", d, err)
	}
	wantMetric(t, registry, `insula_cache_lookups_total{cache="roles",outcome="away"} 2`)
	wantMetric(t, registry, `insula_limiter_fallback_total{limiter="user"} 1`)
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}

func TestRedisGoesAndComesBack(t *testing.T) {
	onEachServer(t, func(t *testing.T, s server) {
		ctx := context.Background()
		time := clock.At(noon)
		client := open(t, s, time)
		cache := redisx.NewCache[role](client, "roles", 60e9, nil)
		if err := cache.Set(ctx, redisx.Tenant(acme), "k", role{}); err != nil {
			t.Fatal(err)
		}
		s.stop(t)
		for i := range 3 {
			if client.Away() {
				t.Fatalf("away after %d failures", i)
			}
			mustMiss(t, cache, redisx.Tenant(acme), "k")
		}
		if !client.Away() {
			t.Fatal("still asking")
		}
		s.start(t)
		if err := client.Ready(ctx); !errors.Is(err, redisx.ErrAway) {
			t.Errorf("asked while at rest: %v", err)
		}
		eventually(t, "Redis is found again", func() bool {
			time.Advance(500e6)
			return client.Ready(ctx) == nil
		})
		if client.Away() {
			t.Error("away after it answered")
		}
		if err := cache.Set(ctx, redisx.Tenant(acme), "k", role{"back", 1}); err != nil {
			t.Error(err)
		}
	})
}

func TestACallerWhoGivesUpIsNoFailureOfRedis(t *testing.T) {
	onEachServer(t, func(t *testing.T, s server) {
		client := open(t, s, clock.At(noon))
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		for range 10 {
			if err := client.Ready(gone); !errors.Is(err, context.Canceled) {
				t.Fatalf("error = %v", err)
			}
		}
		if client.Away() {
			t.Error("away because callers gave up")
		}
	})
}
