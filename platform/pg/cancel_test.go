package pg_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

// TestAWishToCancelReachesNobodyElse: readers give up at the moment at which their
// statements end, and no statement that comes after them is ended for it.
func TestAWishToCancelReachesNobodyElse(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	pool, err := pg.Open(t.Context(), pg.Options{URL: f.AppURL, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	const while = `SELECT 'x' || pg_sleep($1)::text`
	for i := range 60 { // around the time at which the server is asked
		ctx, hangUp := context.WithTimeout(t.Context(), time.Millisecond)
		_, _ = readName(ctx, pool.Tenant(f.Tenant), while, 0.018+float64(i)/10_000)
		hangUp()
		for range 3 {
			if _, err := readName(t.Context(), pool.Tenant(f.Tenant), while, 0.001); err != nil {
				t.Fatalf("after %d that gave up: %v", i+1, err)
			}
		}
	}
}

// TestWhoGivesUpCostsNoConnection: a backend knows its tenants, so a statement
// whose caller has gone ends, and its connection goes on.
func TestWhoGivesUpCostsNoConnection(t *testing.T) {
	t.Parallel()
	const long = `SELECT 'x' || pg_sleep(600)::text`
	f := pgtest.Tenant(t)
	pool, err := pg.Open(t.Context(), pg.Options{URL: f.AppURL, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	backend := func() (pid int) {
		t.Helper()
		err := pool.Tenant(f.Tenant).Read(t.Context(), func(tx uow.Tx) error {
			return pg.DB(tx).QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid)
		})
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	super := superuser(t, f.SuperuserURL)
	for name, ask := range map[string]func(context.Context) error{
		"a read of one row": func(ctx context.Context) error {
			_, err := readName(ctx, pool.Tenant(f.Tenant), long)
			return err
		},
		"a list": func(ctx context.Context) error {
			return pool.Tenant(f.Tenant).Read(ctx, func(tx uow.Tx) error {
				_, err := pg.DB(tx).Exec(ctx, long)
				return err
			})
		},
		"a unit of work": func(ctx context.Context) error {
			return pool.Tenant(f.Tenant).Write(ctx, func(tx uow.Tx) error {
				_, err := pg.DB(tx).Exec(ctx, long)
				return pg.Translate(err, nil, nil)
			})
		},
	} {
		for range 2 { // the second time on a connection that knows the statement
			before := backend()
			ctx, hangUp := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- ask(ctx) }()
			for sleeps := false; !sleeps; runtime.Gosched() {
				err := super.QueryRow(t.Context(), `SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'`, before).Scan(&sleeps)
				if err != nil {
					t.Fatal(err)
				}
				if len(done) > 0 {
					t.Fatalf("%s did not wait: %v", name, <-done)
				}
			}
			hangUp()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("%s that was given up ended with %v", name, err)
			}
			if after := backend(); after != before {
				t.Errorf("%s that was given up cost its connection", name)
			}
		}
	}
}
