package pg_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

var makeRole = op.Write("roles.make", "Make a role.", op.About("role"))

type role struct{ Name string }

// again runs makeRole for a key and returns what the client would see.
func again(t *testing.T, f pgtest.Fixture, now clock.Clock, caller uuid.UUID, key, fingerprint, name string) (role, int, error) {
	t.Helper()
	records := &optest.Records{}
	r := scope.Request{
		Tenant: f.Tenant, Caller: authn.Caller{Kind: authn.User, ID: caller},
		Retry: &scope.Retry{Key: key, Fingerprint: []byte(fingerprint)},
	}
	run := op.NewRunner(r, f.Unit(), optest.Allow{}, records, now, id.System{}, slog.New(slog.DiscardHandler)).Remember(pg.NewRetries())
	out, err := op.Do(t.Context(), run, makeRole, func(tx uow.Tx) (role, error) {
		return role{name}, insertRole(t.Context(), tx, name)
	})
	return out, len(records.Entries()), err
}

func TestRetries(t *testing.T) {
	t.Parallel()
	f, now := pgtest.Tenant(t), clock.At(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	ada, ben := uuid.UUID{15: 1}, uuid.UUID{15: 2}
	for _, step := range []struct {
		name             string
		caller           uuid.UUID
		key, fingerprint string
		role, want       string
		records          int
		err              error
		pass             time.Duration
	}{
		{"first", ada, "k1", "f1", "one", "one", 1, nil, 0},
		{"again", ada, "k1", "f1", "other", "one", 0, nil, time.Hour},
		{"another request", ada, "k1", "f2", "other", "", 1, op.ErrKeyReused, 0},
		{"another key", ada, "k2", "f1", "two", "two", 1, nil, 0},
		{"another caller", ben, "k1", "f1", "three", "three", 1, nil, 0},
		{"after its time", ada, "k1", "f2", "four", "four", 1, nil, 25 * time.Hour},
	} {
		now.Advance(step.pass)
		got, records, err := again(t, f, now, step.caller, step.key, step.fingerprint, step.role)
		if got.Name != step.want || !errors.Is(err, step.err) || records != step.records {
			t.Fatalf("%s: %q, %d records, %v", step.name, got.Name, records, err)
		}
	}
	f.Read(t, func(tx uow.Tx) error {
		names, err := roleNames(t.Context(), tx)
		if len(names) != 4 {
			t.Errorf("stored %v, want four roles", names)
		}
		return err
	})
}

func TestAFailedRequestDoesNotUseUpItsKey(t *testing.T) {
	t.Parallel()
	f, now := pgtest.Tenant(t), clock.System{}
	mark(t, f) // takes the name
	if _, _, err := again(t, f, now, uuid.Max, "k", "f", f.Tenant.Slug); err == nil {
		t.Fatal("a taken name was accepted")
	}
	if got, _, err := again(t, f, now, uuid.Max, "k", "f", "free"); err != nil || got.Name != "free" {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestTwentyAtOnceTakeEffectOnce(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	var wg sync.WaitGroup
	var recorded atomic.Int32
	for range 20 {
		wg.Go(func() {
			got, records, err := again(t, f, clock.System{}, uuid.Max, "k", "f", "once")
			recorded.Add(int32(records))
			if err != nil && !errors.Is(err, op.ErrKeyRunning) || err == nil && got.Name != "once" {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	wg.Wait()
	f.Read(t, func(tx uow.Tx) error {
		names, err := roleNames(t.Context(), tx)
		if len(names) != 1 {
			t.Errorf("stored %v", names)
		}
		return err
	})
}

func TestARunningRequestIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	taken, hold, first := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		first <- f.Unit().Write(t.Context(), func(tx uow.Tx) error {
			_, _, err := pg.NewRetries().Begin(t.Context(), tx, op.Claim{
				CallerID: uuid.Max, Key: "k", Fingerprint: []byte("f"), Now: time.Now(),
			})
			close(taken)
			<-hold
			return err
		})
	}()
	<-taken
	if _, _, err := again(t, f, clock.System{}, uuid.Max, "k", "f", "slow"); !errors.Is(err, op.ErrKeyRunning) {
		t.Errorf("got %v, want ErrKeyRunning", err)
	}
	close(hold)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
}

// While a tenant is moved, its tables are locked for a moment: that is no other
// request with the same key.
func TestALockedTableIsNoRunningRequest(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	mover, err := pgx.Connect(t.Context(), f.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer mover.Close(context.WithoutCancel(t.Context()))
	locked, err := mover.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := locked.Exec(t.Context(), "LOCK TABLE "+f.Tenant.Schema+".idempotency_keys IN SHARE ROW EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	attempts := 0
	f.Write(t, func(tx uow.Tx) error {
		if attempts++; attempts == 2 {
			if err := locked.Rollback(t.Context()); err != nil {
				return err
			}
		}
		_, _, err := pg.NewRetries().Begin(t.Context(), tx, op.Claim{CallerID: uuid.Max, Key: "k", Fingerprint: []byte("f"), Now: time.Now()})
		return err
	})
	if attempts != 2 {
		t.Errorf("%d attempts", attempts)
	}
}

// TestAKeyLeavesTheLockWaitAlone: what the tenant's share says holds for the
// rest of the unit of work.
func TestAKeyLeavesTheLockWaitAlone(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	for _, share := range []pg.Share{{}, {Lock: 7 * time.Second}} {
		var before, after string
		err := shared(t, share).Tenant(f.Tenant).Write(t.Context(), func(tx uow.Tx) error {
			db := pg.DB(tx)
			if err := db.QueryRow(t.Context(), "SELECT current_setting('lock_timeout')").Scan(&before); err != nil {
				return err
			}
			_, _, err := pg.NewRetries().Begin(t.Context(), tx, op.Claim{CallerID: uuid.Max, Key: uuid.NewString(), Fingerprint: []byte("f"), Now: time.Now()})
			if err != nil {
				return err
			}
			return db.QueryRow(t.Context(), "SELECT current_setting('lock_timeout')").Scan(&after)
		})
		if err != nil || after != before {
			t.Errorf("the wait for a lock is %s, was %s, %v", after, before, err)
		}
	}
}
