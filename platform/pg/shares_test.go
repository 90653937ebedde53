package pg_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// shared opens a pool that gives every tenant the same share.
func shared(t *testing.T, s pg.Share) *pg.Pool {
	t.Helper()
	pool, err := pg.Open(t.Context(), pg.Options{
		URL: pgtest.Database(t).AppURL, MaxConns: 4, Shares: func(uuid.UUID) pg.Share { return s },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func run(ctx context.Context, sql string, args ...any) func(uow.Tx) error {
	return func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(ctx, sql, args...)
		return err
	}
}

// TestAStatementIsCut when it takes longer than the tenant may, in every kind
// of unit of work, the first time and when it is prepared.
func TestAStatementIsCut(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	pool := shared(t, pg.Share{Statement: 50 * time.Millisecond})
	for range 3 {
		for name, do := range map[string]func(context.Context, func(uow.Tx) error) error{
			"read": pool.Tenant(f.Tenant).Read, "write": pool.Tenant(f.Tenant).Write, "record": pool.Tenant(f.Tenant).Record,
		} {
			if err := do(t.Context(), run(t.Context(), "SELECT pg_sleep(30)")); !errors.Is(err, errs.ErrTimeout) {
				t.Errorf("%s: %v", name, err)
			}
			if err := do(t.Context(), run(t.Context(), "SELECT 1")); err != nil {
				t.Errorf("%s afterwards: %v", name, err)
			}
		}
	}
	if err := f.Unit().Read(t.Context(), run(t.Context(), "SELECT pg_sleep(0.1)")); err != nil {
		t.Errorf("without a share: %v", err)
	}
}

// TestAWaitForALockIsCut, and answered as something to try again.
func TestAWaitForALockIsCut(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	pool := shared(t, pg.Share{Lock: 20 * time.Millisecond})
	f.Write(t, run(t.Context(), "INSERT INTO policy (current, version) VALUES (true, 1)"))
	f.Write(t, func(tx uow.Tx) error {
		if err := run(t.Context(), "UPDATE policy SET version = 2")(tx); err != nil {
			return err
		}
		err := pool.Tenant(f.Tenant).Write(t.Context(), run(t.Context(), "UPDATE policy SET version = 3"))
		if !errors.Is(err, errs.ErrUnavailable) {
			t.Errorf("while another has the row: %v", err)
		}
		return nil
	})
	if err := pool.Tenant(f.Tenant).Write(t.Context(), run(t.Context(), "UPDATE policy SET version = 3")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestATenantKeepsToItsShare: with all that it may have under way and waiting,
// a tenant is refused, and another is not.
func TestATenantKeepsToItsShare(t *testing.T) {
	t.Parallel()
	noisy, quiet := pgtest.Tenant(t), pgtest.Tenant(t)
	pool := shared(t, pg.Share{Units: 2})
	var begun, all sync.WaitGroup
	begun.Add(2)
	done := make(chan struct{})
	for range 2 {
		all.Go(func() {
			err := pool.Tenant(noisy.Tenant).Write(t.Context(), func(tx uow.Tx) error {
				err := run(t.Context(), "SELECT 1")(tx)
				begun.Done()
				<-done
				return err
			})
			if err != nil {
				t.Errorf("within the share: %v", err)
			}
		})
	}
	begun.Wait()
	if err := pool.Tenant(noisy.Tenant).Read(t.Context(), run(t.Context(), "SELECT 1")); !errors.Is(err, tenancy.ErrBusy) {
		t.Errorf("beyond the share: %v", err)
	}
	if err := pool.Tenant(quiet.Tenant).Read(t.Context(), run(t.Context(), "SELECT 1")); err != nil {
		t.Errorf("the other tenant: %v", err)
	}
	close(done)
	all.Wait()
	if err := pool.Tenant(noisy.Tenant).Read(t.Context(), run(t.Context(), "SELECT 1")); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
