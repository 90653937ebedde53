package pg_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/catalog"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// The versions of the schemas in the tests of the stock. Tests of it do not run
// in parallel: there is one stock in a database.
var (
	roomsOnly = map[int64]string{20260101000000: "CREATE TABLE rooms (id integer NOT NULL, name text, CONSTRAINT rooms_pkey PRIMARY KEY (id));"}
	withKeys  = grown(roomsOnly, 20260102000000, "CREATE TABLE keys (id integer, CONSTRAINT keys_pkey PRIMARY KEY (id));")
	withIndex = grown(withKeys, 20260103000000, "-- atlas:txmode none\n\nCREATE UNIQUE INDEX CONCURRENTLY rooms_name_key ON rooms (name);")
)

func grown(texts map[int64]string, version int64, text string) map[int64]string {
	out := maps.Clone(texts)
	out[version] = text
	return out
}

// warehouse is the stock as one binary sees it.
type warehouse struct {
	*pg.Migrator
	admin *pgxpool.Pool // behind the wall
}

// stockOf makes the warehouse of a binary with these migrations; the stock
// ends with the test.
func stockOf(t *testing.T, texts map[int64]string) warehouse {
	t.Helper()
	files, err := pgtest.Migrations(texts)
	if err != nil {
		t.Fatal(err)
	}
	return stockIn(t, pgtest.Database(t), files)
}

func stockIn(t *testing.T, db pgtest.DB, files fs.FS) warehouse {
	t.Helper()
	m, err := pg.OpenMigrator(t.Context(), db.MigratorURL, fstest.MapFS{}, files)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return stockBy(t, db, m)
}

// stockBy is the warehouse of a migrator of the database.
func stockBy(t *testing.T, db pgtest.DB, m *pg.Migrator) warehouse {
	t.Helper()
	admin, err := pgxpool.New(t.Context(), db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.Close)
	w := warehouse{m, admin}
	t.Cleanup(func() { w.clear(t) })
	w.exec(t, "UPDATE control.tenants SET created_at = 'epoch' WHERE status = 'provisioning'") // other tests' wait for nothing
	return w
}

// clear drops the stock.
func (w warehouse) clear(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	err := insist(func() error { // the server may have been started anew
		left, err := w.Spares(ctx)
		for _, s := range left {
			err = errors.Join(err, w.Drop(ctx, s.Schema, nil))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	w.exec(t, "TRUNCATE control.spares")
}

func (w warehouse) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	err := insist(func() error {
		_, err := w.admin.Exec(context.WithoutCancel(t.Context()), sql, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func spareName() string {
	id := uuid.Must(uuid.NewV7())
	return "t_" + hex.EncodeToString(id[:])
}

func (w warehouse) keeping(n int) *pg.Stock {
	return pg.NewStock(w.Migrator, pg.Stocking{Keep: n, Name: spareName, Clock: clock.System{}})
}

func (w warehouse) restock(t *testing.T, keep int) {
	t.Helper()
	if err := w.keeping(keep).Restock(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// stock lists the spares by state.
func (w warehouse) stock(t *testing.T) map[pg.SpareState][]string {
	t.Helper()
	all, err := w.Spares(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states := map[pg.SpareState][]string{}
	for _, s := range all {
		states[s.State] = append(states[s.State], s.Schema)
	}
	return states
}

// ready lists what can be taken, each of which must be as the migrations of
// its version declare it.
func (w warehouse) ready(t *testing.T) []string {
	t.Helper()
	stock := w.stock(t)
	if len(stock) > 1 || len(stock) == 1 && stock[pg.SpareReady] == nil {
		t.Errorf("the stock is %v, not ready throughout", stock)
	}
	want, err := w.Declared(t.Context(), w.TenantVersion(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, schema := range stock[pg.SpareReady] {
		got, version, err := w.Actual(t.Context(), schema)
		if err != nil || version != w.TenantVersion() {
			t.Fatalf("spare %s is at %d, %v", schema, version, err)
		}
		if drift := catalog.Diff(want, got); len(drift) > 0 {
			t.Errorf("spare %s: %s", schema, strings.Join(drift, "; "))
		}
	}
	return stock[pg.SpareReady]
}

// there counts the schemas and roles of a name: 2 for one that is complete.
func (w warehouse) there(t *testing.T, schema string) (n int) {
	t.Helper()
	const sql = `SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1) + (SELECT count(*) FROM pg_roles WHERE rolname = $1)`
	if err := w.admin.QueryRow(t.Context(), sql, schema).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// settle makes a tenant with a spare, if there is one, and returns it with the
// schema that the registry has.
func (w warehouse) settle(t *testing.T, seed func(uow.Tx) error) (tenancy.Tenant, error) {
	t.Helper()
	tenant := newTenant()
	err := w.Provision(t.Context(), pg.Provisioning{Schema: tenant.Schema, Spare: true, Claim: registered(tenant)}, seed)
	if err != nil {
		return tenant, err
	}
	var schema string
	var version int64
	err = w.admin.QueryRow(t.Context(), "SELECT schema_name, schema_version FROM control.tenants WHERE id = $1", tenant.ID).Scan(&schema, &version)
	if err != nil || version != w.TenantVersion() {
		t.Fatalf("registered with version %d, %v", version, err)
	}
	t.Cleanup(func() {
		w.exec(t, "DELETE FROM control.tenants WHERE id = $1", tenant.ID)
		if err := w.Drop(context.Background(), schema, nil); err != nil {
			t.Error(err)
		}
	})
	tenant.Schema = schema
	return tenant, nil
}

func registered(tenant tenancy.Tenant) func(context.Context, uow.Tx) (bool, error) {
	return func(ctx context.Context, tx uow.Tx) (bool, error) {
		_, err := pg.DB(tx).Exec(ctx, `INSERT INTO control.tenants
			(id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at)
			VALUES ($1, $2, $2, $3, $4, $5, 'a@example.com', 1, $6, $6)`,
			tenant.ID, tenant.Slug, string(tenant.Kind), string(tenant.Status), tenant.Schema, time.Now().UTC())
		return true, err
	}
}

func nothing(uow.Tx) error { return nil }

func TestTheStockIsKept(t *testing.T) {
	w := stockOf(t, withIndex)
	w.restock(t, 4)
	first := w.ready(t)
	if len(first) != 4 {
		t.Fatalf("%d are ready, want 4", len(first))
	}
	var changes int
	const memberships = `SELECT count(DISTINCT m.xmin::text) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid WHERE r.rolname = ANY ($1)`
	if err := w.admin.QueryRow(t.Context(), memberships, first).Scan(&changes); err != nil || changes != 1 {
		t.Errorf("their memberships were made in %d transactions, %v", changes, err)
	}

	for range 2 { // half of them
		w.restock(t, 4)
		if got := w.ready(t); len(got) != 4-len(taken(t, w, first)) {
			t.Errorf("more are made before half of them are gone: %d", len(got))
		}
		if _, err := w.settle(t, nothing); err != nil {
			t.Fatal(err)
		}
	}
	w.restock(t, 4)
	if second := w.ready(t); len(second) != 4 || !slices.Equal(second[:2], first[2:]) {
		t.Errorf("after half are gone: %v, before %v", second, first)
	}
	w.restock(t, 0)
	if got := w.ready(t); len(got) != 4 {
		t.Errorf("%d are left when none are to be made, want those that are there", len(got))
	}
}

// taken are the spares that tenants have got.
func taken(t *testing.T, w warehouse, of []string) []string {
	t.Helper()
	stock := w.stock(t)[pg.SpareReady]
	return slices.DeleteFunc(slices.Clone(of), func(s string) bool { return slices.Contains(stock, s) })
}

func TestATenantGetsASpare(t *testing.T) {
	w := stockOf(t, roomsOnly)
	w.restock(t, 1)
	spare := w.ready(t)[0]
	tenant, err := w.settle(t, func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(t.Context(), "INSERT INTO rooms VALUES (1, 'atrium')")
		return err
	})
	if err != nil || tenant.Schema != spare || len(w.stock(t)) != 0 {
		t.Fatalf("the tenant got %s, not %s; the stock is %v, %v", tenant.Schema, spare, w.stock(t), err)
	}
	var name, role string
	err = pgtest.Database(t).Pool.Tenant(tenant).Write(t.Context(), func(tx uow.Tx) error {
		return pg.DB(tx).QueryRow(t.Context(), "UPDATE rooms SET name = 'tablinum' RETURNING name, current_user").Scan(&name, &role)
	})
	if err != nil || name != "tablinum" || role != spare {
		t.Errorf("in the tenant: %q as %s, %v", name, role, err)
	}
	if err := w.Drop(t.Context(), spare, nil); !errors.Is(err, pg.ErrServed) {
		t.Errorf("dropping it: %v, want ErrServed", err)
	}
	w.exec(t, "UPDATE control.tenants SET status = 'erasing' WHERE id = $1", tenant.ID)
	if err := w.Drop(t.Context(), spare, nil); err != nil || w.there(t, spare) != 0 {
		t.Errorf("erased, %d of schema and role are left, %v", w.there(t, spare), err)
	}
}

// Whoever fails puts back what it took, and whoever finds nothing makes a
// schema of its own, of the name that it was registered with.
func TestTheStockIsGivenBackAndMayBeEmpty(t *testing.T) {
	w := stockOf(t, roomsOnly)
	w.restock(t, 1)
	spare := w.ready(t)[0]
	broken := errors.New("broken")
	if _, err := w.settle(t, func(uow.Tx) error { return broken }); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if got := w.ready(t); !slices.Equal(got, []string{spare}) {
		t.Fatalf("the stock is %v, want %s", got, spare)
	}
	for _, fromStock := range []bool{true, false} {
		tenant, err := w.settle(t, nothing)
		if err != nil || (tenant.Schema == spare) != fromStock || w.there(t, tenant.Schema) != 2 {
			t.Errorf("from stock %t: schema %s, %v", fromStock, tenant.Schema, err)
		}
	}
}

// A spare that somebody has spoilt, by hand, keeps no tenant from being made: it
// gets a schema of its own, and the spare goes.
func TestASpoiltSpareKeepsNobodyOut(t *testing.T) {
	w := stockOf(t, roomsOnly)
	seed := func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(t.Context(), "INSERT INTO rooms VALUES (1, 'atrium')")
		return err
	}
	for name, spoil := range map[string]string{"a table is gone": "DROP TABLE @.rooms", "all is gone": "DROP SCHEMA @ CASCADE; DROP ROLE @"} {
		t.Run(name, func(t *testing.T) {
			w.restock(t, 1)
			spare := w.ready(t)[0]
			w.exec(t, strings.ReplaceAll(spoil, "@", spare))
			tenant, err := w.settle(t, seed)
			if err != nil || tenant.Schema == spare {
				t.Fatalf("the tenant got %s, %v", tenant.Schema, err)
			}
			if stock := w.stock(t); !slices.Equal(stock[pg.SpareLeaving], []string{spare}) {
				t.Errorf("the stock is %v", stock)
			}
			w.restock(t, 1)
			if got := w.ready(t); len(got) != 1 || got[0] == spare || w.there(t, spare) != 0 {
				t.Errorf("then the stock is %v", got)
			}
		})
	}
}

// A right that came with a release is given when the spare is taken.
func TestASpareGetsTheRightsOfToday(t *testing.T) {
	w := stockOf(t, roomsOnly)
	w.restock(t, 1)
	spare := w.ready(t)[0]
	w.exec(t, "REVOKE UPDATE ON "+spare+".rooms FROM "+spare)
	if tenant, err := w.settle(t, nothing); err != nil || tenant.Schema != spare {
		t.Fatalf("the tenant got %s, %v", tenant.Schema, err)
	}
	var may bool
	if err := w.admin.QueryRow(t.Context(), "SELECT has_table_privilege($1, $2, 'UPDATE')", spare, spare+".rooms").Scan(&may); err != nil || !may {
		t.Errorf("it may change rooms: %t, %v", may, err)
	}
}

// Tenants that are made at the same time get different spares, the last one
// its own, and none waits for another.
func TestManyTakeAtOnce(t *testing.T) {
	w := stockOf(t, roomsOnly)
	w.restock(t, 3)
	spares := w.ready(t)
	var all, seeding sync.WaitGroup
	seeding.Add(len(spares) + 1)
	got := make([]string, len(spares)+1)
	for i := range got {
		all.Go(func() {
			tenant, err := w.settle(t, func(uow.Tx) error {
				seeding.Done()
				seeding.Wait() // nobody commits before all have their schemas
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			got[i] = tenant.Schema
		})
	}
	all.Wait()
	for _, s := range spares {
		if n := len(got) - len(slices.DeleteFunc(slices.Clone(got), func(g string) bool { return g == s })); n != 1 {
			t.Errorf("spare %s went to %d tenants", s, n)
		}
	}
}

// In a rolling deployment each process takes what it would have made. The newer
// one brings the stock up, without a new role, and the older one makes none.
func TestOlderAndNewerBinariesSideBySide(t *testing.T) {
	old, fresh := stockOf(t, roomsOnly), stockOf(t, withIndex)
	old.restock(t, 2)
	before := old.ready(t)
	tenant, err := fresh.settle(t, nothing)
	if err != nil || slices.Contains(before, tenant.Schema) {
		t.Fatalf("the newer one took %s of %v, %v", tenant.Schema, before, err)
	}

	fresh.restock(t, 2)
	if after := fresh.ready(t); !slices.Equal(after, before) {
		t.Fatalf("brought up: %v, want %v", after, before)
	}
	old.restock(t, 2)
	if tenant, err = old.settle(t, nothing); err != nil || slices.Contains(before, tenant.Schema) {
		t.Fatalf("the older one took %s of %v, %v", tenant.Schema, before, err)
	}
	if after := fresh.ready(t); !slices.Equal(after, before) {
		t.Errorf("beside the older one: %v, want %v", after, before)
	}
	if tenant, err = fresh.settle(t, nothing); err != nil || tenant.Schema != before[0] {
		t.Errorf("the newer one took %s, want %s, %v", tenant.Schema, before[0], err)
	}
}

// What cannot be brought up, or was made by other migrations or in the other
// way of roles, is dropped, and others are made.
func TestWhatDoesNotFitIsThrownAway(t *testing.T) {
	edited := map[int64]string{20260101000000: "CREATE TABLE halls (id integer NOT NULL, CONSTRAINT halls_pkey PRIMARY KEY (id));"}
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, w warehouse, spare string)
		then  map[int64]string
		roles pg.Roles
		says  string
	}{
		"a migration fails": {
			spoil: func(t *testing.T, w warehouse, spare string) {
				t.Helper()
				w.exec(t, "CREATE TABLE "+spare+".keys (id integer)")
			},
			then: withKeys, says: "a spare schema is thrown away",
		},
		"half made and gone": {
			spoil: func(t *testing.T, w warehouse, spare string) {
				t.Helper()
				w.exec(t, "UPDATE control.spares SET state = 'bare'; DROP SCHEMA "+spare+" CASCADE; DROP ROLE "+spare)
			},
			then: roomsOnly, says: "furnish spare schemas",
		},
		"edited migrations": {then: edited},
		"one role":          {then: roomsOnly, roles: pg.OneRole},
		"being dropped": {
			spoil: func(t *testing.T, w warehouse, spare string) {
				t.Helper()
				w.exec(t, "UPDATE control.spares SET state = 'leaving'; DROP TABLE "+spare+".rooms")
			},
			then: roomsOnly,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := stockOf(t, roomsOnly)
			w.restock(t, 1)
			spare := w.ready(t)[0]
			if tc.spoil != nil {
				tc.spoil(t, w, spare)
			}
			next := stockOf(t, tc.then)
			next.Migrator = next.WithRoles(tc.roles)
			err := next.keeping(1).Restock(t.Context())
			if (err != nil) != (tc.says != "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("it says %v, want %q", err, tc.says)
			}
			next.restock(t, 1) // after one that failed, what it could not do
			if got := next.ready(t); len(got) != 1 || got[0] == spare {
				t.Errorf("the stock is %v", got)
			}
			if n := next.there(t, spare); n != 0 {
				t.Errorf("%d of schema and role are left", n)
			}
		})
	}
}

// A spare that is half made, or half way to another version, is finished.
func TestWhatACrashLeftIsFinished(t *testing.T) {
	w := stockOf(t, roomsOnly)
	waiting := w.waiting(t)
	w.restock(t, 2)
	if stock := w.stock(t); len(stock) != 0 {
		t.Fatalf("while a tenant waits: %v", stock)
	}
	waiting(false)
	w.restock(t, 2)
	spares := w.ready(t)

	// Somebody waits when one is bare, and there are others: it can wait.
	w.exec(t, "UPDATE control.spares SET state = 'bare' WHERE schema_name = $1", spares[1])
	waiting(true)
	w.restock(t, 4)
	if stock := w.stock(t); len(stock[pg.SpareReady]) != 1 || len(stock[pg.SpareBare]) != 1 {
		t.Errorf("while a tenant waits and one is ready: %v", stock)
	}
	w.exec(t, "UPDATE control.spares SET state = 'bare'")
	w.restock(t, 4)
	if got := w.ready(t); !slices.Equal(got, spares) {
		t.Errorf("while a tenant waits and none is ready: %v, want %v", got, spares)
	}
	waiting(false)

	w.exec(t, "UPDATE control.spares SET state = 'changing' WHERE schema_name = $1", spares[0])
	next := stockOf(t, withKeys)
	next.restock(t, 2)
	if got := next.ready(t); !slices.Equal(got, spares) {
		t.Errorf("brought up: %v, want %v", got, spares)
	}
}

// waiting registers a tenant that waits for its schema, now or not.
func (w warehouse) waiting(t *testing.T) func(now bool) {
	t.Helper()
	tenant := newTenant()
	tenant.Status = tenancy.Provisioning
	err := w.Control().Write(t.Context(), func(tx uow.Tx) error {
		_, err := registered(tenant)(t.Context(), tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.exec(t, "DELETE FROM control.tenants WHERE id = $1", tenant.ID) })
	return func(now bool) {
		age := "1 hour"
		if now {
			age = "0"
		}
		w.exec(t, "UPDATE control.tenants SET created_at = now() - $2::interval WHERE id = $1", tenant.ID, age)
	}
}

// Two processes do not look after the stock at the same time.
func TestOneProcessLooksAfterTheStock(t *testing.T) {
	w, other := stockOf(t, roomsOnly), stockOf(t, roomsOnly)
	entered, leave := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		var once sync.Once
		done <- pg.NewStock(other.Migrator, pg.Stocking{Keep: 2, Clock: clock.System{}, Name: func() string {
			once.Do(func() { close(entered); <-leave })
			return spareName()
		}}).Restock(t.Context())
	}()
	<-entered
	w.restock(t, 2)
	if stock := w.stock(t); len(stock) != 0 {
		t.Errorf("two at once: %v", stock)
	}
	close(leave)
	if err := <-done; err != nil || len(w.ready(t)) != 2 {
		t.Errorf("the stock is %v, %v", w.stock(t), err)
	}
}
