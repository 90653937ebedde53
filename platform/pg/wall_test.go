package pg_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// mark leaves a role in a tenant's schema by which it can be told.
func mark(t *testing.T, f pgtest.Fixture) {
	t.Helper()
	f.Write(t, func(tx uow.Tx) error { return insertRole(t.Context(), tx, f.Tenant.Slug) })
}

func insertRole(ctx context.Context, tx uow.Tx, name string) error {
	_, err := pg.DB(tx).Exec(ctx, `INSERT INTO roles (id, name, description, built_in, permissions, custom_permissions, version, created_at, updated_at)
		VALUES (gen_random_uuid(), $1, '', false, '{}', '{}', 1, now(), now())`, name)
	return err
}

func roleNames(ctx context.Context, tx uow.Tx) ([]string, error) {
	rows, err := pg.DB(tx).Query(ctx, `SELECT name FROM roles ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func TestTenantsSeeOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	seeOnlyTheirOwn(t, pgtest.Tenant(t), pgtest.Tenant(t))
}

func seeOnlyTheirOwn(t *testing.T, a, b pgtest.Fixture) {
	t.Helper()
	mark(t, a)
	mark(t, b)
	var wg sync.WaitGroup
	for i := range 400 { // over few connections, so that each meets both tenants
		f := []pgtest.Fixture{a, b}[i%2]
		wg.Go(func() {
			err := f.Unit().Read(t.Context(), func(tx uow.Tx) error {
				names, err := roleNames(t.Context(), tx)
				if err == nil && (len(names) != 1 || names[0] != f.Tenant.Slug) {
					err = fmt.Errorf("tenant %s saw %v", f.Tenant.Slug, names)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestTheRoleIsASecondWall(t *testing.T) {
	t.Parallel()
	a, b := pgtest.Tenant(t), pgtest.Tenant(t)
	for name, sql := range map[string]string{
		"another tenant's table":        `SELECT count(*) FROM "` + b.Tenant.Schema + `".users`,
		"the control schema":            `SELECT count(*) FROM control.tenants`,
		"the signing keys":              `SELECT count(*) FROM control.signing_keys`,
		"DDL":                           `CREATE TABLE loot (id int)`,
		"DDL elsewhere":                 `CREATE SCHEMA loot`,
		"changing the trail":            `UPDATE audit_events SET code = ''`,
		"deleting from the trail":       `DELETE FROM audit_events`,
		"emptying the trail":            `TRUNCATE audit_events`,
		"the passwords of the database": `SELECT count(*) FROM pg_authid`,
	} {
		t.Run(name, func(t *testing.T) {
			err := a.Unit().Write(t.Context(), func(tx uow.Tx) error {
				if _, err := pg.DB(tx).Exec(t.Context(), `SELECT count(*) FROM users`); err != nil {
					return fmt.Errorf("own table: %w", err)
				}
				_, err := pg.DB(tx).Exec(t.Context(), sql)
				return err
			})
			if err == nil || strings.Contains(err.Error(), "own table") {
				t.Fatalf("%s: got %v, want a refusal", sql, err)
			}
		})
	}
}

func TestNothingStaysOnAConnection(t *testing.T) {
	t.Parallel()
	db := pgtest.Database(t)
	pool, err := pg.Open(t.Context(), pg.Options{URL: db.AppURL, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	f := pgtest.Tenant(t)
	boom := errors.New("boom")
	ways := map[string]func(context.Context) error{
		"read": func(ctx context.Context) error {
			return pool.Tenant(f.Tenant).Read(ctx, func(tx uow.Tx) error { _, err := roleNames(ctx, tx); return err })
		},
		"write": func(ctx context.Context) error {
			return pool.Tenant(f.Tenant).Write(ctx, func(tx uow.Tx) error { _, err := roleNames(ctx, tx); return err })
		},
		"failed write": func(ctx context.Context) error {
			err := pool.Tenant(f.Tenant).Write(ctx, func(tx uow.Tx) error {
				if _, err := roleNames(ctx, tx); err != nil {
					return err
				}
				return boom
			})
			if !errors.Is(err, boom) {
				return fmt.Errorf("got %v, want boom", err)
			}
			return nil
		},
		"SQL error": func(ctx context.Context) error {
			err := pool.Tenant(f.Tenant).Write(ctx, func(tx uow.Tx) error {
				_, err := pg.DB(tx).Exec(ctx, "SELECT 1/0")
				return err
			})
			if err == nil {
				return errors.New("division by zero passed")
			}
			return nil
		},
		"panic": func(ctx context.Context) (err error) {
			defer func() {
				if recover() == nil {
					err = errors.New("the panic was swallowed")
				}
			}()
			return pool.Tenant(f.Tenant).Write(ctx, func(tx uow.Tx) error {
				_, _ = roleNames(ctx, tx)
				panic("boom")
			})
		},
		"cancelled": func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			err := pool.Tenant(f.Tenant).Write(ctx, func(tx uow.Tx) error {
				if _, err := roleNames(ctx, tx); err != nil {
					return err
				}
				cancel()
				_, err := roleNames(ctx, tx)
				return err
			})
			if err == nil {
				return errors.New("a cancelled unit of work committed")
			}
			return nil
		},
	}
	for name, way := range ways {
		for range 2 { // the second time on a connection that knows the statement
			if err := way(t.Context()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		var state string
		err := pool.Control().Read(t.Context(), func(tx uow.Tx) error {
			return pg.DB(tx).QueryRow(t.Context(),
				`SELECT current_user || ' ' || current_setting('search_path') || ' ' || current_setting('transaction_read_only')`).Scan(&state)
		})
		if err != nil {
			t.Fatalf("after %s: %v", name, err)
		}
		if want := `insula_app "$user", public off`; state != want {
			t.Fatalf("after %s the connection is %q, want %q", name, state, want)
		}
	}
}

func TestReadsCannotWrite(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	for range 2 {
		err := f.Unit().Read(t.Context(), func(tx uow.Tx) error { return insertRole(t.Context(), tx, "x") })
		if err == nil || !strings.Contains(err.Error(), "read-only") {
			t.Fatalf("got %v, want a read-only refusal", err)
		}
	}
}

func TestAFailedWriteKeepsNothing(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	boom, hooks := errors.New("boom"), 0
	err := f.Unit().Write(t.Context(), func(tx uow.Tx) error {
		tx.AfterCommit(func(context.Context) { hooks++ })
		if err := insertRole(t.Context(), tx, "x"); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) || hooks != 0 {
		t.Fatalf("got %v and %d hooks, want boom and none", err, hooks)
	}
	f.Read(t, func(tx uow.Tx) error {
		names, err := roleNames(t.Context(), tx)
		if len(names) != 0 {
			t.Errorf("kept %v", names)
		}
		return err
	})
	f.Write(t, func(tx uow.Tx) error {
		tx.AfterCommit(func(context.Context) { hooks++ })
		return insertRole(t.Context(), tx, "x")
	})
	if hooks != 1 {
		t.Fatalf("%d hooks ran after the commit, want 1", hooks)
	}
}

func TestUnitsDoNotNest(t *testing.T) {
	t.Parallel()
	unit := pgtest.Tenant(t).Unit()
	err := unit.Write(t.Context(), func(uow.Tx) error {
		return unit.Read(t.Context(), func(uow.Tx) error { return nil })
	})
	if !errors.Is(err, uow.ErrNested) {
		t.Fatalf("got %v, want ErrNested", err)
	}
	if err := unit.Read(t.Context(), func(uow.Tx) error { return nil }); err != nil {
		t.Fatalf("one after the other: %v", err)
	}
}

func TestATxIsDeadAfterItsUnit(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	var kept []uow.Tx
	keep := func(tx uow.Tx) error { kept = append(kept, tx); return nil }
	f.Read(t, keep)
	f.Write(t, keep)
	for _, tx := range kept {
		if _, err := roleNames(t.Context(), tx); err == nil {
			t.Errorf("%T still reads", tx)
		}
	}
}

func TestStatusHoldsAtTheNextStatement(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	read := func() error {
		return f.Unit().Read(t.Context(), func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err })
	}
	write := func() error {
		return f.Unit().Write(t.Context(), func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err })
	}
	look := func() error { // opens for whom a record opens
		return f.Unit().Look(t.Context(), func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err })
	}
	record := func() error {
		return f.Unit().Record(t.Context(), func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err })
	}
	for _, tc := range []struct {
		status                  tenancy.Status
		onRead, onWrite, onNote error
	}{
		{tenancy.Active, nil, nil, nil},
		{tenancy.Suspended, tenancy.ErrSuspended, tenancy.ErrSuspended, nil},
		{tenancy.Deleting, tenancy.ErrUnknown, tenancy.ErrUnknown, nil}, // its trail tells of the deletion
		{tenancy.Provisioning, errs.ErrUnavailable, errs.ErrUnavailable, errs.ErrUnavailable},
		{tenancy.Active, nil, nil, nil},
	} {
		setStatus(t, f, tc.status)
		for range 2 {
			for name, got := range map[string][2]error{"read": {read(), tc.onRead}, "write": {write(), tc.onWrite}, "look": {look(), tc.onNote}, "record": {record(), tc.onNote}} {
				if !errors.Is(got[0], got[1]) {
					t.Errorf("%s while %s: got %v, want %v", name, tc.status, got[0], got[1])
				}
			}
		}
	}
}

// TestALookChangesNothing, as any other read.
func TestALookChangesNothing(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	for range 2 { // a connection that meets the statement, and one that knows it
		err := f.Unit().Look(t.Context(), func(tx uow.Tx) error {
			_, err := pg.DB(tx).Exec(t.Context(), "DELETE FROM outbox")
			return err
		})
		if pe := new(pgconn.PgError); !errors.As(err, &pe) || pe.Code != "25006" { // read-only transaction
			t.Errorf("got %v", err)
		}
	}
}

func setStatus(t *testing.T, f pgtest.Fixture, s tenancy.Status) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), f.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "UPDATE control.tenants SET status = $2 WHERE id = $1", f.Tenant.ID, string(s)); err != nil {
		t.Fatal(err)
	}
}

func TestAnUnknownTenantOpensNothing(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	f.Tenant.ID[15] ^= 1
	err := f.Unit().Read(t.Context(), func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err })
	if !errors.Is(err, tenancy.ErrUnknown) {
		t.Fatalf("got %v, want ErrUnknown", err)
	}
}

func TestOneRoundTrip(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	counted := countTrips(t, f)
	for _, tc := range []struct {
		name string
		run  func() error
		want int
	}{
		{"read", func() error {
			return counted.pool.Tenant(f.Tenant).Read(t.Context(), func(tx uow.Tx) error {
				_, err := roleNames(t.Context(), tx)
				return err
			})
		}, 1},
		{"write", func() error {
			return counted.pool.Tenant(f.Tenant).Write(t.Context(), func(tx uow.Tx) error {
				_, err := roleNames(t.Context(), tx)
				return err
			})
		}, 2}, // with the commit
	} {
		if err := tc.run(); err != nil { // first: the statement is new to the connection
			t.Fatal(err)
		}
		before := counted.trips.Load()
		if err := tc.run(); err != nil {
			t.Fatal(err)
		}
		if got := int(counted.trips.Load() - before); got != tc.want {
			t.Errorf("%s took %d round trips, want %d", tc.name, got, tc.want)
		}
	}
}

// A connection that meets a tenant for the first time prepares its statement on
// the way, once the process knows the statement.
func TestOneRoundTripForATenantNeverMet(t *testing.T) {
	t.Parallel()
	f := pgtest.Tenant(t)
	others := []pgtest.Fixture{pgtest.Tenant(t), pgtest.Tenant(t)} // made before: a connection that idles for a second is pinged
	for _, one := range append(others, f) {
		mark(t, one)
	}
	counted := countTrips(t, f)
	if _, err := readName(t.Context(), counted.pool.Tenant(f.Tenant), nameOf, f.Tenant.Slug); err != nil {
		t.Fatal(err)
	}
	for _, other := range others {
		before := counted.trips.Load()
		got, err := readName(t.Context(), counted.pool.Tenant(other.Tenant), nameOf, other.Tenant.Slug)
		if trips := counted.trips.Load() - before; err != nil || got != other.Tenant.Slug || trips != 1 {
			t.Errorf("got %q, %v in %d trips", got, err, trips)
		}
	}
}

// A backend that may not take on a tenant's role is given up: it may only not
// know yet that it may.
func TestABackendThatMissedATenantIsReplaced(t *testing.T) {
	t.Parallel()
	db := pgtest.Database(t)
	pool, err := pg.Open(t.Context(), pg.Options{URL: db.AppURL, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	f := pgtest.Tenant(t)
	backend := func() (pid int) {
		err := pool.Control().Read(t.Context(), func(tx uow.Tx) error {
			return pg.DB(tx).QueryRow(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid)
		})
		if err != nil {
			t.Fatal(err)
		}
		return pid
	}
	super, err := pgx.Connect(t.Context(), db.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer super.Close(context.Background())
	role := pgx.Identifier{f.Tenant.Schema}.Sanitize()
	units := map[string]func() error{
		"read": func() error {
			return pool.Tenant(f.Tenant).Read(t.Context(), func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err })
		},
		"write": func() error {
			return pool.Tenant(f.Tenant).Write(t.Context(), func(tx uow.Tx) error { _, err := roleNames(t.Context(), tx); return err })
		},
	}
	for name, unit := range units {
		for range 2 { // also on a connection that knows the statement
			if err := unit(); err != nil {
				t.Fatal(err)
			}
		}
		before := backend()
		if _, err := super.Exec(t.Context(), "REVOKE "+role+" FROM "+pg.AppRole); err != nil {
			t.Fatal(err)
		}
		if err := unit(); err == nil {
			t.Errorf("%s without the membership passed", name)
		}
		if _, err := super.Exec(t.Context(), "GRANT "+role+" TO "+pg.AppRole); err != nil {
			t.Fatal(err)
		}
		if err := unit(); err != nil {
			t.Errorf("%s afterwards: %v", name, err)
		}
		if backend() == before {
			t.Errorf("%s kept the backend", name)
		}
	}
}
