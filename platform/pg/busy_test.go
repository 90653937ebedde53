package pg_test

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/warm"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

func openPool(t *testing.T, f pgtest.Fixture) *pg.Pool {
	t.Helper()
	pool, err := pg.Open(t.Context(), pg.Options{URL: f.AppURL, MaxConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// visit reads in a tenant a number of times.
func visit(t *testing.T, pool *pg.Pool, f pgtest.Fixture, times int) {
	t.Helper()
	for range times {
		if _, err := readName(t.Context(), pool.Tenant(f.Tenant), nameOf, f.Tenant.Slug); err != nil {
			t.Fatal(err)
		}
	}
}

// known are the tenants of a test as a directory.
type known map[uuid.UUID]tenancy.Tenant

func (k known) ByID(_ context.Context, id uuid.UUID) (tenancy.Tenant, error) {
	t, ok := k[id]
	if !ok {
		return t, tenancy.ErrUnknown
	}
	return t, nil
}

func (k known) BySlug(context.Context, string) (tenancy.Tenant, error) {
	return tenancy.Tenant{}, tenancy.ErrUnknown
}

// start starts a warmer on a pool and waits until it has read in who was busy.
func start(t *testing.T, pool *pg.Pool, tenants int, fixtures ...pgtest.Fixture) {
	t.Helper()
	directory := known{}
	for _, f := range fixtures {
		directory[f.Tenant.ID] = f.Tenant
	}
	warmer := warm.New(warm.Options{
		Tenants: tenants, AtOnce: 1, Ranking: pool, Directory: directory, Units: pool.Ahead(),
		Clock: clock.System{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Reads: []warm.Read{func(ctx context.Context, tx uow.Tx, t tenancy.Tenant) error {
			var name string
			return pg.DB(tx).QueryRow(ctx, nameOf, t.Slug).Scan(&name)
		}},
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- warmer.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	warmer.Await(t.Context())
}

func met(pool *pg.Pool) int64 { return pool.Stats(tenancy.MainPlacement).Met }

// A new process has read in the tenants that were busy in the one before, by the
// time it is asked: their first requests meet nothing for the first time. Who was
// suspended since is not read in, and nobody is where that is turned off.
func TestTheBusiestAreReadInAfterAStart(t *testing.T) {
	t.Parallel()
	busy, idle, suspended := pgtest.Tenant(t), pgtest.Tenant(t), pgtest.Tenant(t)
	for _, f := range []pgtest.Fixture{busy, idle, suspended} {
		mark(t, f)
	}
	before := openPool(t, busy)
	visit(t, before, busy, 60)
	visit(t, before, suspended, 80)
	if err := before.NoteBusy(t.Context(), time.Now(), 1000); err != nil {
		t.Fatal(err)
	}
	visit(t, before, idle, 1)
	mustExec(t, superuser(t, busy.SuperuserURL), "UPDATE control.tenants SET status = 'suspended' WHERE id = $1", suspended.Tenant.ID)

	fresh := openPool(t, busy)
	start(t, fresh, 1000, busy, idle, suspended)
	read := met(fresh)
	if read == 0 {
		t.Error("nothing was read in")
	}
	visit(t, fresh, busy, 5)
	if got := met(fresh) - read; got != 0 {
		t.Errorf("%d statements of the busy tenant were run for the first time by its requests", got)
	}
	visit(t, fresh, idle, 5)
	if got := met(fresh) - read; got == 0 {
		t.Error("a tenant that was not busy was read in")
	}
	if read != 1 {
		t.Errorf("%d statements were run ahead: more than the one of the busy tenant", read)
	}

	off := openPool(t, busy)
	start(t, off, 0, busy, idle, suspended)
	if got := met(off); got != 0 {
		t.Errorf("turned off, it ran %d statements", got)
	}
}

// The ranking fades, adds up what several processes count, keeps no more than it
// should and nobody who is not served.
func TestRankingOfBusyTenants(t *testing.T) {
	t.Parallel()
	now := time.Now().Add(-24 * time.Hour)
	rising, falling, erased := pgtest.Tenant(t), pgtest.Tenant(t), pgtest.Tenant(t)
	for _, f := range []pgtest.Fixture{rising, falling, erased} {
		mark(t, f)
	}
	order := func(pool *pg.Pool, at time.Time) (ids []uuid.UUID) {
		t.Helper()
		all, err := pool.Busiest(t.Context(), at, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range all { // others may be noted by other tests
			if id == rising.Tenant.ID || id == falling.Tenant.ID || id == erased.Tenant.ID {
				ids = append(ids, id)
			}
		}
		return ids
	}
	one, two := openPool(t, rising), openPool(t, rising)
	visit(t, one, falling, 40)
	visit(t, one, rising, 15)
	visit(t, two, rising, 15)
	visit(t, one, erased, 5)
	mustExec(t, superuser(t, rising.SuperuserURL), "UPDATE control.tenants SET status = 'deleting' WHERE id = $1", erased.Tenant.ID)
	for _, pool := range []*pg.Pool{one, two} {
		if err := pool.NoteBusy(t.Context(), now, 1000); err != nil {
			t.Fatal(err)
		}
	}
	if got := order(one, now); !slices.Equal(got, []uuid.UUID{falling.Tenant.ID, rising.Tenant.ID}) {
		t.Errorf("ranked %v", got)
	}
	visit(t, two, rising, 15) // in the meantime those of falling count a quarter
	if err := two.NoteBusy(t.Context(), now.Add(2*time.Hour), 1000); err != nil {
		t.Fatal(err)
	}
	if got := order(one, now.Add(2*time.Hour)); !slices.Equal(got, []uuid.UUID{rising.Tenant.ID, falling.Tenant.ID}) {
		t.Errorf("ranked %v two hours later", got)
	}
}

// A connection that was replaced is told of with the tenants that are at home on
// it, once.
func TestRenewedHomes(t *testing.T) {
	t.Parallel()
	f, other := pgtest.Tenant(t), pgtest.Tenant(t)
	pool := openPool(t, f)
	for pool.SameHome(f.Tenant.ID, other.Tenant.ID) {
		other = pgtest.Tenant(t)
	}
	mark(t, f)
	mark(t, other)
	visit(t, pool, f, 3)
	visit(t, pool, other, 3)
	pool.Renewed(10)
	if got := pool.Renewed(10); len(got) != 0 {
		t.Errorf("nothing is new, but %v", got)
	}
	pid, err := readName(t.Context(), pool.Tenant(f.Tenant), `SELECT pg_backend_pid()::text`)
	if err != nil {
		t.Fatal(err)
	}
	mustExec(t, superuser(t, f.SuperuserURL), "SELECT pg_terminate_backend($1::text::integer, 10000)", pid)
	for !renews(t, pool, f) {
	}
}

// renews reads until the pool has noticed that a connection is gone, and reports
// whether it tells of the tenant at home there.
func renews(t *testing.T, pool *pg.Pool, f pgtest.Fixture) bool {
	t.Helper()
	_, _ = readName(t.Context(), pool.Tenant(f.Tenant), nameOf, f.Tenant.Slug) // the first may find the connection closed
	got := pool.Renewed(10)
	if len(got) > 1 || len(got) == 1 && got[0] != f.Tenant.ID {
		t.Errorf("told of %v", got)
	}
	return len(got) == 1
}
