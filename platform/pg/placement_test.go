package pg_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// superuser connects behind the wall of a database.
func superuser(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func mustExec(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// kinds are the three ways to work in a tenant, each with one statement of
// which there are two forms.
func kinds(t *testing.T, u func() uow.Unit) map[string]func() error {
	list := func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err }
	one := func(tx uow.Tx) error {
		var n int
		return pg.DB(tx).QueryRow(t.Context(), "SELECT count(*) FROM roles").Scan(&n)
	}
	return map[string]func() error{
		"list":   func() error { return u().Read(t.Context(), list) },
		"read":   func() error { return u().Read(t.Context(), one) },
		"write":  func() error { return u().Write(t.Context(), one) },
		"record": func() error { return u().Record(t.Context(), list) },
	}
}

func TestATenantIsServedWhereItIsPlaced(t *testing.T) {
	t.Parallel()
	p := pgtest.Beside(t)
	here, there := pgtest.Tenant(t), p.Tenant(t)
	here.Pool = p.Pool
	mark(t, here)
	mark(t, there)
	for _, f := range []pgtest.Fixture{here, there} {
		for range 3 { // so that statements come to be prepared
			f.Read(t, func(tx uow.Tx) error {
				names, err := roleNames(t.Context(), tx)
				if err == nil && (len(names) != 1 || names[0] != f.Tenant.Slug) {
					t.Errorf("tenant %s of %s saw %v", f.Tenant.Slug, f.Tenant.Home(), names)
				}
				return err
			})
		}
	}
}

// A node that has not heard of a move asks where the tenant was, is told by the
// registry, and forgets what it remembered.
func TestAStaleNodeFindsATenantThatHasMoved(t *testing.T) {
	t.Parallel()
	p := pgtest.Beside(t)
	f := p.Tenant(t)
	var strays atomic.Int32
	p.Pool.OnStray(func(id uuid.UUID) {
		if id == f.Tenant.ID {
			strays.Add(1)
		}
	})
	stale := f.Tenant
	stale.Placement = ""
	for name, run := range kinds(t, func() uow.Unit { return p.Pool.Tenant(stale) }) {
		for range 3 {
			before := strays.Load()
			if err := run(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if strays.Load() != before+1 {
				t.Errorf("%s: told %d times that the tenant has moved", name, strays.Load()-before)
			}
		}
	}
}

// While a tenant is open nowhere its requests wait, and then go on.
func TestRequestsOutlastTheMomentOfAMove(t *testing.T) {
	t.Parallel()
	p := pgtest.Beside(t)
	f := p.Tenant(t)
	looks := make(chan struct{}, 10_000)
	pool, err := pg.Open(t.Context(), pg.Options{
		URL: pgtest.Database(t).AppURL, MaxConns: 4, Placements: map[string]secret.Value{p.Name: p.AppURL},
		Observe: func(query string, _ time.Duration, _ bool) {
			if query == "TenantStatus" {
				looks <- struct{}{}
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	there := superuser(t, p.SuperuserURL)
	shut := "UPDATE control.tenants SET placement = 'elsewhere' WHERE id = $1"
	mustExec(t, there, shut, f.Tenant.ID)

	var waiting sync.WaitGroup
	for name, run := range kinds(t, func() uow.Unit { return pool.Tenant(f.Tenant) }) {
		waiting.Go(func() {
			if err := run(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	for range 8 { // of the four, some more than once
		<-looks
	}
	mustExec(t, there, "UPDATE control.tenants SET placement = $2 WHERE id = $1", f.Tenant.ID, p.Name)
	waiting.Wait()

	// Those who are not let in anyway do not wait.
	mustExec(t, there, shut, f.Tenant.ID)
	setStatus(t, pgtest.Fixture{DB: pgtest.Database(t), Tenant: f.Tenant}, tenancy.Suspended)
	err = pool.Tenant(f.Tenant).Read(t.Context(), func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err })
	if !errors.Is(err, tenancy.ErrSuspended) {
		t.Errorf("a suspended tenant: %v", err)
	}
	// A caller who does not wait for long is not kept.
	setStatus(t, pgtest.Fixture{DB: pgtest.Database(t), Tenant: f.Tenant}, tenancy.Active)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = pool.Tenant(f.Tenant).Read(ctx, func(tx uow.Tx) error { _, err := roleNames(ctx, tx); return err })
	if err == nil {
		t.Error("a caller who is gone was served")
	}
}

// The registry is that of the main placement: a row of another database that
// says something else opens nothing.
func TestACopyOfTheRegistryDoesNotOpenWhatIsElsewhere(t *testing.T) {
	t.Parallel()
	p := pgtest.Beside(t)
	f := p.Tenant(t)
	mustExec(t, superuser(t, pgtest.Database(t).SuperuserURL), "UPDATE control.tenants SET placement = 'unheard-of' WHERE id = $1", f.Tenant.ID)
	stale := f.Tenant
	stale.Placement = ""
	for name, run := range kinds(t, func() uow.Unit { return p.Pool.Tenant(stale) }) {
		if err := run(); !errors.Is(err, tenancy.ErrUnplaced) {
			t.Errorf("%s: %v, want ErrUnplaced", name, err)
		}
	}
	unheard := f.Tenant
	unheard.Placement = "unheard-of"
	for name, run := range kinds(t, func() uow.Unit { return p.Pool.Tenant(unheard) }) {
		if err := run(); !errors.Is(err, tenancy.ErrUnplaced) {
			t.Errorf("%s of a placement nobody told of: %v, want ErrUnplaced", name, err)
		}
	}
}

func TestAPlacementThatIsAwayTakesNobodyElseWithIt(t *testing.T) {
	t.Parallel()
	first := pgtest.Database(t)
	pool, err := pg.Open(t.Context(), pg.Options{URL: first.AppURL, MaxConns: 4, Placements: map[string]secret.Value{
		"away": secret.New("postgres://insula_app:no@127.0.0.1:1/insula?sslmode=disable"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	f := pgtest.Tenant(t)
	f.Pool = pool
	mark(t, f)
	f.Tenant.Placement = "away"
	for name, run := range kinds(t, func() uow.Unit { return pool.Tenant(f.Tenant) }) {
		err := run()
		if declared, ok := errs.As(err); !ok || !errors.Is(err, errs.ErrUnavailable) || declared.RetryAfter == 0 {
			t.Errorf("%s: %v, want ErrUnavailable with a time to come back", name, err)
		}
	}
	if err := pool.Ready(t.Context()); err != nil {
		t.Errorf("the process is not ready: %v", err)
	}
	if err := pool.PlacementReady(t.Context(), "away"); err == nil {
		t.Error("the placement is said to answer")
	}
	if names := pool.Placements(); len(names) != 2 || names[0] != tenancy.MainPlacement || names[1] != "away" {
		t.Errorf("placements %v", names)
	}
}
