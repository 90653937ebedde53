package redisx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/insulahq/insula/platform/telemetry"
)

// Cache keeps values of one type in Redis as JSON, for a limited time. A miss, an unreadable value and Redis
// away all mean the same to a caller: ask the source.
type Cache[T any] struct {
	client  *Client
	name    string
	ttl     time.Duration
	metrics *telemetry.Metrics
}

// NewCache returns the cache of this name, which is part of every key; give it another name when the form of
// T changes, so that two releases do not read each other's values. Every value lives for ttl; it panics
// without one, because a key without an end is a leak.
func NewCache[T any](client *Client, name string, ttl time.Duration, metrics *telemetry.Metrics) *Cache[T] {
	if ttl < time.Millisecond {
		panic("redisx: cache " + name + " without a time to live")
	}
	return &Cache[T]{client: client, name: name, ttl: ttl, metrics: metrics}
}

// Get returns the value and whether there is one.
func (c *Cache[T]) Get(ctx context.Context, scope Scope, key string) (value T, ok bool) {
	var raw []byte
	err := c.client.do(ctx, func(ctx context.Context, r redis.UniversalClient) (err error) {
		raw, err = r.Get(ctx, c.key(scope, key)).Bytes()
		return err
	})
	switch {
	case err == nil && json.Unmarshal(raw, &value) == nil:
		c.metrics.ObserveCache(c.name, telemetry.CacheHit)
		return value, true
	case err == nil || errors.Is(err, redis.Nil):
		c.metrics.ObserveCache(c.name, telemetry.CacheMiss)
	default:
		c.metrics.ObserveCache(c.name, telemetry.CacheAway)
	}
	var none T // Unmarshal may have filled a part
	return none, false
}

// Set keeps the value. A caller may ignore the error: it says that the value is not cached.
func (c *Cache[T]) Set(ctx context.Context, scope Scope, key string, value T) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("cache %s: %w", c.name, err)
	}
	return c.client.do(ctx, func(ctx context.Context, r redis.UniversalClient) error {
		return r.Set(ctx, c.key(scope, key), raw, c.ttl).Err()
	})
}

// Delete forgets the value. An error means that others may see the old value until its time is over, so a
// caller for whom that matters must not rely on the cache alone.
func (c *Cache[T]) Delete(ctx context.Context, scope Scope, key string) error {
	return c.client.do(ctx, func(ctx context.Context, r redis.UniversalClient) error {
		return r.Del(ctx, c.key(scope, key)).Err()
	})
}

// Load returns the cached value, or else what load gives, which is then cached. Its errors are those of load.
func (c *Cache[T]) Load(ctx context.Context, scope Scope, key string, load func(context.Context) (T, error)) (T, error) {
	if value, ok := c.Get(ctx, scope, key); ok {
		return value, nil
	}
	value, err := load(ctx)
	if err != nil {
		return value, err
	}
	_ = c.Set(ctx, scope, key, value) // not cached is slower, not wrong
	return value, nil
}

func (c *Cache[T]) key(scope Scope, key string) string { return scope.Key("cache", c.name, key).text }
