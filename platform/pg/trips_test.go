package pg_test

import (
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
)

// countingPool is a pool of one connection through a relay that counts how
// often the client speaks after the server did.
type countingPool struct {
	pool  *pg.Pool
	trips atomic.Int64
}

func countTrips(t *testing.T, f pgtest.Fixture) *countingPool {
	t.Helper()
	u, err := url.Parse(f.AppURL.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	server := u.Host
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &countingPool{}
	go c.relay(l, server)
	u.Host = l.Addr().String()
	c.pool, err = pg.Open(t.Context(), pg.Options{URL: secret.New(u.String()), MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.pool.Close)
	return c
}

func (c *countingPool) relay(l net.Listener, server string) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		upstream, err := net.Dial("tcp", server)
		if err != nil {
			client.Close()
			return
		}
		var serverSpoke atomic.Bool
		serverSpoke.Store(true)
		go func() {
			defer client.Close()
			buf := make([]byte, 64<<10)
			for {
				n, err := upstream.Read(buf)
				if n > 0 {
					serverSpoke.Store(true)
					if _, werr := client.Write(buf[:n]); werr != nil {
						return
					}
				}
				if err != nil {
					return
				}
			}
		}()
		go func() {
			defer upstream.Close()
			_, _ = io.Copy(writerFunc(func(p []byte) (int, error) {
				if serverSpoke.Swap(false) {
					c.trips.Add(1)
				}
				return upstream.Write(p)
			}), client)
		}()
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
