package pg_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

const anyName = `SELECT coalesce(max(name), '') FROM roles`

// TestNobodyStaysBehindWhoIsStuck: one tenant waits for a lock, with a read of
// one row or with a unit of work. Another one with the same home works on.
func TestNobodyStaysBehindWhoIsStuck(t *testing.T) {
	t.Parallel()
	stuck := pgtest.Tenant(t)
	pool, err := pg.Open(t.Context(), pg.Options{URL: stuck.AppURL, MaxConns: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	free := pgtest.Tenant(t)
	for !pool.SameHome(stuck.Tenant.ID, free.Tenant.ID) {
		free = pgtest.Tenant(t)
	}
	for name, waits := range map[string]func() error{
		"a read of one row": func() error {
			_, err := readName(t.Context(), pool.Tenant(stuck.Tenant), anyName)
			return err
		},
		"a list": func() error {
			return pool.Tenant(stuck.Tenant).Read(t.Context(), func(tx uow.Tx) error {
				_, err := pg.DB(tx).Exec(t.Context(), "SELECT name FROM roles")
				return err
			})
		},
		"a unit of work": func() error {
			return pool.Tenant(stuck.Tenant).Write(t.Context(), func(tx uow.Tx) error {
				_, err := pg.DB(tx).Exec(t.Context(), "SELECT name FROM roles")
				return err
			})
		},
	} {
		db := superuser(t, stuck.SuperuserURL)
		mustExec(t, db, "BEGIN; LOCK TABLE "+pgx.Identifier{stuck.Tenant.Schema, "roles"}.Sanitize())
		done := make(chan error, 1)
		go func() { done <- waits() }()
		waitForLock(t, stuck, stuck.Tenant.Schema)
		var wg sync.WaitGroup
		for range 8 { // all of which come home at once
			wg.Go(func() {
				if _, err := readName(t.Context(), pool.Tenant(free.Tenant), anyName); err != nil {
					t.Errorf("beside %s, a read: %v", name, err)
				}
			})
			wg.Go(func() {
				err := pool.Tenant(free.Tenant).Write(t.Context(), func(tx uow.Tx) error {
					_, err := pg.DB(tx).Exec(t.Context(), "SELECT name FROM roles")
					return err
				})
				if err != nil {
					t.Errorf("beside %s, a unit of work: %v", name, err)
				}
			})
		}
		wg.Wait()
		select {
		case err := <-done:
			t.Errorf("%s did not wait: %v", name, err)
		default:
		}
		mustExec(t, db, "COMMIT")
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAServerThatDoesNotAnswer takes connections and says nothing: all who wait
// for one hear of it when the first does.
func TestAServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	f := pgtest.Tenant(t)
	url := secret.New("postgres://nobody@" + silent.Addr().String() + "/none?connect_timeout=1&sslmode=disable")
	pool, err := pg.Open(t.Context(), pg.Options{URL: f.AppURL, MaxConns: 2, Placements: map[string]secret.Value{"silent": url}})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	f.Tenant.Placement = "silent"
	var wg sync.WaitGroup
	begun := time.Now()
	for range 32 {
		wg.Go(func() {
			_, err := readName(t.Context(), pool.Tenant(f.Tenant), anyName)
			if e, ok := errs.As(err); !ok || e.Kind != errs.Unavailable {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("the last of them heard of it after %v", took)
	}
}
