// Package redisx is Redis as Insula uses it: a cache and a rate limiter, never the truth. Every use works
// with Redis away, without waiting for it, and finds it again by itself.
package redisx

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/redis/go-redis/extra/redisotel/v9"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"go.opentelemetry.io/otel/trace"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/secret"
)

// ErrAway says that Redis was not asked, or did not answer in time.
var ErrAway = errors.New("redis is away")

// Bounds on how long a use of Redis may take: beyond them the source is quicker to ask.
const (
	operationTimeout = 250 * time.Millisecond
	dialTimeout      = 500 * time.Millisecond
)

// Client is a connection to Redis, or the knowledge that there is none. Safe for concurrent use.
type Client struct {
	redis   redis.UniversalClient // nil: run without Redis
	circuit circuit
}

// Open prepares a client; it does not connect yet. An empty URL gives a client that is always away.
//
// The URL is redis://[user][:password@]host:port/db, rediss:// for TLS. A cluster is named by further nodes
// in addr parameters (?addr=host2:port&addr=host3:port) or by cluster=true.
func Open(address secret.Value, c clock.Clock) (*Client, error) {
	client := &Client{circuit: circuit{clock: c}}
	if address.IsZero() {
		return client, nil
	}
	options, err := parse(address.Reveal())
	if err != nil {
		return nil, fmt.Errorf("redis URL: %w", err)
	}
	options.DialTimeout = dialTimeout
	options.ReadTimeout = operationTimeout
	options.WriteTimeout = operationTimeout
	options.PoolTimeout = operationTimeout
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1 // the circuit decides when to ask again
	options.DialerRetries = 1
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	client.redis = redis.NewUniversalClient(options)
	return client, nil
}

// Trace makes a span of each command, without its arguments.
func (c *Client) Trace(spans trace.TracerProvider) error {
	if c.redis == nil {
		return nil
	}
	return redisotel.InstrumentTracing(c.redis, redisotel.WithTracerProvider(spans), redisotel.WithDBStatement(false))
}

// parse reads the URL without ever putting it into an error: it holds the password.
func parse(text string) (*redis.UniversalOptions, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, withoutURL(err)
	}
	query := u.Query()
	cluster := query.Get("cluster") == "true"
	query.Del("cluster")
	u.RawQuery = query.Encode()

	if cluster || query.Has("addr") {
		o, err := redis.ParseClusterURL(u.String())
		if err != nil {
			return nil, withoutURL(err)
		}
		return &redis.UniversalOptions{
			Addrs: o.Addrs, IsClusterMode: true, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
			Protocol: o.Protocol, PoolSize: o.PoolSize, MinIdleConns: o.MinIdleConns,
		}, nil
	}
	o, err := redis.ParseURL(u.String())
	if err != nil {
		return nil, withoutURL(err)
	}
	return &redis.UniversalOptions{
		Addrs: []string{o.Addr}, DB: o.DB, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
		Protocol: o.Protocol, PoolSize: o.PoolSize, MinIdleConns: o.MinIdleConns,
	}, nil
}

func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return errors.New("is malformed")
	}
	return err
}

// Configured reports whether there is a Redis to ask at all.
func (c *Client) Configured() bool { return c.redis != nil }

// Away reports whether Redis is not being asked: there is none, or it failed a moment ago.
func (c *Client) Away() bool { return c.redis == nil || c.circuit.isOpen() }

// Ready asks Redis for a sign of life. It returns ErrAway when there is none configured.
func (c *Client) Ready(ctx context.Context) error {
	return c.do(ctx, func(ctx context.Context, r redis.UniversalClient) error { return r.Ping(ctx).Err() })
}

// Close ends all connections.
func (c *Client) Close() error {
	if c.redis == nil {
		return nil
	}
	return c.redis.Close()
}

// do runs one use of Redis within the circuit and the time allowed. Errors wrap ErrAway, except redis.Nil,
// which says that a key does not exist, and the end of the caller's own context.
func (c *Client) do(ctx context.Context, use func(context.Context, redis.UniversalClient) error) error {
	if c.redis == nil || !c.circuit.enter() {
		return ErrAway
	}
	limited, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	err := use(limited, c.redis)
	switch {
	case err == nil || errors.Is(err, redis.Nil):
		c.circuit.succeeded()
		return err
	case ctx.Err() != nil:
		c.circuit.abandoned()
		return ctx.Err()
	}
	c.circuit.failed()
	return fmt.Errorf("%w: %w", ErrAway, err)
}
