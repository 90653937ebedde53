package pg_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

const (
	nameOf = `SELECT name FROM roles WHERE name = $1`
	// divided fails for a word of one letter.
	divided = `SELECT name FROM roles WHERE 1 / (length($1::text) - 1) < 9`
)

func readName(ctx context.Context, u uow.Unit, sql string, args ...any) (name string, err error) {
	err = u.Read(ctx, func(tx uow.Tx) error { return pg.DB(tx).QueryRow(ctx, sql, args...).Scan(&name) })
	return name, err
}

// gather has n reads wait for the pool's only connection, does something
// meanwhile, and lets them go.
func gather(t *testing.T, pool *pg.Pool, holder tenancy.Tenant, n int, read func(i int), meanwhile func()) {
	t.Helper()
	var wg sync.WaitGroup
	err := pool.Tenant(holder).Write(t.Context(), func(tx uow.Tx) error {
		if _, err := pg.DB(tx).Exec(t.Context(), `SELECT 1`); err != nil {
			return err
		}
		for i := range n {
			wg.Go(func() { read(i) })
		}
		for pool.Waiting() < n-1 { // one leads, and waits for the connection
			runtime.Gosched()
		}
		meanwhile()
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	wg.Wait()
}

// TestReadsInCompany: reads that travel together are transactions of their
// own. Each gets its own tenant's answer, and what befalls one of them, no other.
func TestReadsInCompany(t *testing.T) {
	t.Parallel()
	tenants := []pgtest.Fixture{pgtest.Tenant(t), pgtest.Tenant(t)}
	counting := countTrips(t, tenants[0])
	for _, f := range tenants {
		mark(t, f)
		for range 10 { // the connection learns the statements
			if _, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), nameOf, f.Tenant.Slug); err != nil {
				t.Fatal(err)
			}
			if _, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), divided, "ab"); err != nil {
				t.Fatal(err)
			}
		}
	}
	stranger := tenancy.Tenant{ID: uuid.Must(uuid.NewV7())}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	const n = 61
	before := counting.trips.Load()
	gather(t, counting.pool, tenants[0].Tenant, n, func(i int) {
		f := tenants[i%2]
		unit := counting.pool.Tenant(f.Tenant)
		switch i % 6 {
		case 0, 1:
			if got, err := readName(t.Context(), unit, nameOf, f.Tenant.Slug); err != nil || got != f.Tenant.Slug {
				t.Errorf("read %d of %s got %q, %v", i, f.Tenant.Slug, got, err)
			}
		case 2:
			if got, err := readName(t.Context(), unit, nameOf, tenants[1].Tenant.Slug); got != "" || !isMissing(err) {
				t.Errorf("read %d saw %q of another tenant, %v", i, got, err)
			}
		case 3:
			if _, err := readName(t.Context(), unit, divided, "a"); err == nil {
				t.Errorf("read %d divided by zero", i)
			}
		case 4:
			if _, err := readName(t.Context(), counting.pool.Tenant(stranger), nameOf, f.Tenant.Slug); !errors.Is(err, tenancy.ErrUnknown) {
				t.Errorf("read %d of an unknown tenant: %v", i, err)
			}
		case 5:
			if _, err := readName(t.Context(), unit, nameOf, f.Tenant.Slug, "too much"); err == nil {
				t.Errorf("read %d passed with an argument too many", i)
			}
		}
	}, func() {})
	if trips := counting.trips.Load() - before; trips > n*2/3 {
		t.Errorf("%d reads made %d trips: they did not travel together", n, trips)
	}
	if _, err := readName(gone, counting.pool.Tenant(tenants[0].Tenant), nameOf, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("a read that nobody waits for: %v", err)
	}
}

func isMissing(err error) bool { return err != nil && strings.Contains(err.Error(), "no rows") }

// TestWhoGivesUpHoldsNobodyUp: reads that are cancelled while they wait leave,
// and the others are served.
func TestWhoGivesUpHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	mark(t, f)
	counting := countTrips(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	gather(t, counting.pool, f.Tenant, 20, func(i int) {
		if i%2 == 0 {
			if got, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), nameOf, f.Tenant.Slug); err != nil || got != f.Tenant.Slug {
				t.Errorf("read %d got %q, %v", i, got, err)
			}
			return
		}
		if _, err := readName(ctx, counting.pool.Tenant(f.Tenant), nameOf, f.Tenant.Slug); !errors.Is(err, context.Canceled) {
			t.Errorf("read %d: %v", i, err)
		}
	}, cancel)
	if got := counting.pool.Waiting(); got != 0 {
		t.Errorf("%d still wait", got)
	}
}

// panicking is a value that cannot be sent.
type panicking struct{}

func (panicking) Value() (driver.Value, error) { panic("on purpose") }

// TestAPanicIsOnesOwn: a value that panics while it is encoded fails its read, and
// neither its company nor the process.
func TestAPanicIsOnesOwn(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	mark(t, f)
	counting := countTrips(t, f)
	if _, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), nameOf, f.Tenant.Slug); err != nil { // which the process learns the statement by
		t.Fatal(err)
	}
	gather(t, counting.pool, f.Tenant, 9, func(i int) {
		if i%3 == 0 {
			if _, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), nameOf, panicking{}); err == nil || !strings.Contains(err.Error(), "on purpose") {
				t.Errorf("read %d: %v", i, err)
			}
			return
		}
		if got, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), nameOf, f.Tenant.Slug); err != nil || got != f.Tenant.Slug {
			t.Errorf("read %d got %q, %v", i, got, err)
		}
	}, func() {})
}

// TestWhoFailsCostsNoConnection: a party of two tenants whose last read fails ends
// like any other, on a connection that goes on.
func TestWhoFailsCostsNoConnection(t *testing.T) {
	t.Parallel()
	good, bad := pgtest.Tenant(t), pgtest.Tenant(t)
	mark(t, good)
	mark(t, bad)
	counting := countTrips(t, good)
	const whoAmI = `SELECT pg_backend_pid()::text || substr(name, 1, 0) FROM roles LIMIT 1`
	pid := func(f pgtest.Fixture) string {
		t.Helper()
		got, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), whoAmI)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, f := range []pgtest.Fixture{good, bad, good, bad} { // the connection learns the statements
		pid(f)
		if _, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), divided, "ab"); err != nil {
			t.Fatal(err)
		}
	}
	before := pid(good)
	for range 3 {
		gather(t, counting.pool, good.Tenant, 12, func(i int) {
			f, word := good, "ab"
			if i == 11 {
				f, word = bad, "a"
			}
			if _, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), divided, word); (err != nil) != (i == 11) {
				t.Errorf("read %d of %q: %v", i, word, err)
			}
		}, func() {})
		if after := pid(good); after != before {
			t.Fatal("what failed cost the connection")
		}
	}
}

// TestACancelledReadDoesNotWaitForItsCompany: who is cancelled on the way leaves
// at once, also the one who led, and the others are served.
func TestACancelledReadDoesNotWaitForItsCompany(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	counting := countTrips(t, f)
	const patient = `SELECT 'x' || pg_advisory_xact_lock_shared($1)::text`
	const key, free = 20261130, 20261131
	if _, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), patient, free); err != nil {
		t.Fatal(err)
	}
	super, err := pgx.Connect(t.Context(), f.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer super.Close(context.Background())
	if _, err := super.Exec(t.Context(), `SELECT pg_advisory_lock($1)`, key); err != nil {
		t.Fatal(err)
	}
	before := counting.pool.Stats(tenancy.MainPlacement)
	ctx, cancel := context.WithCancel(t.Context())
	var hurried, unlocked sync.WaitGroup
	hurried.Add(3)
	gather(t, counting.pool, f.Tenant, 4, func(i int) {
		if i == 0 {
			if got, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), patient, key); err != nil || got != "x" {
				t.Errorf("the one who waits for the lock got %q, %v", got, err)
			}
			return
		}
		defer hurried.Done()
		if _, err := readName(ctx, counting.pool.Tenant(f.Tenant), patient, key); !errors.Is(err, context.Canceled) {
			t.Errorf("read %d: %v", i, err)
		}
	}, func() {
		unlocked.Go(func() {
			for counting.pool.Waiting() > 0 || !waitsForLock(t, super) { // until all are under way
				runtime.Gosched()
			}
			cancel()
			hurried.Wait() // they are back before the lock is free
			if _, err := super.Exec(t.Context(), `SELECT pg_advisory_unlock($1)`, key); err != nil {
				t.Error(err)
			}
		})
	})
	unlocked.Wait()
	after := counting.pool.Stats(tenancy.MainPlacement)
	if got := after.Waited - before.Waited; got < 3 {
		t.Errorf("%d reads are counted as waiting", got)
	}
	if got := after.Acquired - before.Acquired; got != 5 {
		t.Errorf("a unit of work and four reads in company are counted as %d", got)
	}
}

// TestAReadWhoseBackendIsKilledGoesOnElsewhere: reads that travel on a connection
// that is lost are run once more, each by itself.
func TestAReadWhoseBackendIsKilledGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	counting := countTrips(t, f)
	const patient = `SELECT 'x' || pg_advisory_xact_lock_shared($1)::text`
	const key, free = 20261201, 20261202
	if _, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), patient, free); err != nil {
		t.Fatal(err)
	}
	super := superuser(t, f.SuperuserURL)
	mustExec(t, super, `SELECT pg_advisory_lock($1)`, key)
	var killing sync.WaitGroup
	gather(t, counting.pool, f.Tenant, 6, func(i int) {
		if got, err := readName(t.Context(), counting.pool.Tenant(f.Tenant), patient, key); err != nil || got != "x" {
			t.Errorf("read %d got %q, %v", i, got, err)
		}
	}, func() {
		killing.Go(func() {
			for killed := 0; killed == 0 && t.Context().Err() == nil; runtime.Gosched() {
				if counting.pool.Waiting() > 0 { // until all are under way
					continue
				}
				err := super.QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_locks
					WHERE locktype = 'advisory' AND objid = $1::bigint::oid AND NOT granted`, key).Scan(&killed)
				if err != nil {
					t.Error(err)
					return
				}
			}
			if _, err := super.Exec(t.Context(), `SELECT pg_advisory_unlock($1)`, key); err != nil {
				t.Error(err)
			}
		})
	})
	killing.Wait()
}

func waitsForLock(t *testing.T, conn *pgx.Conn) (waits bool) {
	t.Helper()
	err := conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`).Scan(&waits)
	if err != nil {
		t.Error(err)
		return true
	}
	return waits
}

// TestARowIsReadAsPgxReadsIt: the types of the columns and nulls come through,
// and a wrong number of places is an error.
func TestARowIsReadAsPgxReadsIt(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	const all = `SELECT 7::bigint, 'x'::text, NULL::text, '{a,b}'::text[], true, '2026-01-02 03:04:05+00'::timestamptz::text, '\x0102'::bytea, id FROM roles LIMIT 1`
	mark(t, f)
	for i := range 6 {
		var number int64
		var text, at string
		var none *string
		var list []string
		var yes bool
		var raw []byte
		var key uuid.UUID
		err := f.Unit().Read(t.Context(), func(tx uow.Tx) error {
			return pg.DB(tx).QueryRow(t.Context(), all).Scan(&number, &text, &none, &list, &yes, &at, &raw, &key)
		})
		if err != nil || number != 7 || text != "x" || none != nil || len(list) != 2 || !yes || at == "" || len(raw) != 2 || key == uuid.Nil {
			t.Fatalf("read %d: %v %v %v %v %v %v %v %v, %v", i, number, text, none, list, yes, at, raw, key, err)
		}
		err = f.Unit().Read(t.Context(), func(tx uow.Tx) error { return pg.DB(tx).QueryRow(t.Context(), all).Scan(&number) })
		if err == nil {
			t.Fatalf("read %d: eight columns went into one place", i)
		}
	}
}
