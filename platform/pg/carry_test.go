package pg_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

func carrier(t *testing.T) *pg.Carrier {
	t.Helper()
	c, err := pgtest.Database(t).Migrator.Carrier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// furnish gives a tenant rows in tables that become different things.
func furnish(t *testing.T, f pgtest.Fixture) {
	t.Helper()
	now, id := time.Now().UTC(), uuid.Must(uuid.NewV7())
	f.BehindTheWall(t, `INSERT INTO users (id, email, email_key, name, name_key, locale, time_zone, status, second_factor, access_version, version, created_at, updated_at)
		VALUES ($1, 'ada@example.com', 'ada@example.com', E'Ada\tLove\\nlace\n', 'ada', '', '', 'active', false, 1, 1, $2, $2)`, id, now)
	f.BehindTheWall(t, "INSERT INTO policy (current, version) VALUES (true, 3)")
	f.BehindTheWall(t, `INSERT INTO roles (id, name, description, built_in, permissions, custom_permissions, version, created_at, updated_at)
		VALUES ($1, 'clerk', '', false, '{users.*,"a b"}', '{}', 1, $2, $2)`, id, now)
	f.BehindTheWall(t, "INSERT INTO user_roles (user_id, role_id) VALUES ($1, $1)", id)
	f.BehindTheWall(t, `INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, address, client) VALUES ($1, $1, $2, $2, $2, '', '')`, id, now)
	f.BehindTheWall(t, `INSERT INTO audit_events (id, at, operation, outcome, code, rule, actor_kind, actor_label, target_kind, target_id, target_label, before, request_id, address, client, xid)
		VALUES ($1, $2, 'users.create', 'done', '', '', 'user', 'ada', '', '', '', '{"name": "x"}', '', '', '', 9000000000)`, id, now)
}

// rows is a table as text, in an order of its own.
func rows(t *testing.T, f pgtest.Fixture, schema, table string) string {
	t.Helper()
	db, err := pgx.Connect(t.Context(), f.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	var text string
	sql := "SELECT coalesce(string_agg(r::text, E'\\n' ORDER BY r::text), '') FROM " + pgx.Identifier{schema, table}.Sanitize() + " AS r"
	if err := db.QueryRow(t.Context(), sql).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

// transfer copies a tenant's rows into a new schema, less those of which skip
// says so, and returns its name.
func transfer(t *testing.T, c *pg.Carrier, from string, skip func(pg.Table) bool) string {
	t.Helper()
	id := uuid.New()
	to := "t_" + hex.EncodeToString(id[:])
	err := c.Out(t.Context(), from, func(s *pg.Snapshot, _ uow.Tx) error {
		tables, err := c.Prepare(t.Context(), to, s.Version)
		if err != nil {
			return err
		}
		for _, table := range s.Tables {
			var b bytes.Buffer
			if err := s.Copy(t.Context(), table, &b); err != nil {
				return err
			}
			there := tables[slices.IndexFunc(tables, func(o pg.Table) bool { return o.Name == table.Name })]
			if skip(table) {
				continue
			}
			if err := c.Fill(to, there, table.Columns).Add(t.Context(), b.Bytes()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Remove(context.WithoutCancel(t.Context()), to); err != nil {
			t.Error(err)
		}
	})
	if err := c.Complete(t.Context(), to, func(uow.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return to
}

// What is carried is what was there, less what is not to outlive the moment.
func TestCarriedRows(t *testing.T) {
	f, c := pgtest.Tenant(t), carrier(t)
	furnish(t, f)
	to := transfer(t, c, f.Tenant.Schema, func(pg.Table) bool { return false })
	for _, table := range []string{"users", "roles", "user_roles", "policy"} {
		if want, got := rows(t, f, f.Tenant.Schema, table), rows(t, f, to, table); got != want || want == "" {
			t.Errorf("%s is %q, was %q", table, got, want)
		}
	}
	if got := rows(t, f, to, "sessions"); got != "" {
		t.Errorf("a session came along: %s", got)
	}
	var xid int64
	if err := query(t, f, &xid, "SELECT xid FROM "+pgx.Identifier{to, "audit_events"}.Sanitize()); err != nil || xid != 1 {
		t.Errorf("the record is of transaction %d, %v", xid, err)
	}
	actual, _, err := f.Migrator.Actual(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	declared, err := f.Migrator.Declared(t.Context(), c.Version(), false)
	if err != nil || actual.Fingerprint() != declared.Fingerprint() {
		t.Errorf("the schema or its rights are others than declared: %v", err)
	}
}

func query(t *testing.T, f pgtest.Fixture, dest any, sql string, args ...any) error {
	t.Helper()
	db, err := pgx.Connect(t.Context(), f.SuperuserURL)
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	return db.QueryRow(t.Context(), sql, args...).Scan(dest)
}

// All tables of a snapshot are of one instant: of two that are always written
// together, neither is ahead.
func TestASnapshotIsOfOneInstant(t *testing.T) {
	f, c := pgtest.Tenant(t), carrier(t)
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for ctx.Err() == nil {
				id, now := uuid.Must(uuid.NewV7()), time.Now().UTC()
				err := f.Unit().Write(context.WithoutCancel(ctx), func(tx uow.Tx) error {
					_, err := pg.DB(tx).Exec(context.WithoutCancel(ctx), "INSERT INTO custom_permissions (name, summary, owner_too, created_at) VALUES ($1, '', false, $2)", id.String(), now)
					if err != nil {
						return err
					}
					_, err = pg.DB(tx).Exec(context.WithoutCancel(ctx), "INSERT INTO file_usage (scope, bytes, files) VALUES ($1, 0, 0)", id.String())
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	defer func() { stop(); writers.Wait() }()
	for range 5 {
		err := c.Out(t.Context(), f.Tenant.Schema, func(s *pg.Snapshot, _ uow.Tx) error {
			counts := map[string]int{}
			for _, table := range s.Tables {
				var b bytes.Buffer
				if err := s.Copy(t.Context(), table, &b); err != nil {
					return err
				}
				counts[table.Name] = bytes.Count(b.Bytes(), []byte{'\n'})
				if table.Name == "custom_permissions" {
					waitForMore(t, f, counts[table.Name])
				}
			}
			if counts["custom_permissions"] != counts["file_usage"] {
				t.Errorf("%d of one and %d of the other", counts["custom_permissions"], counts["file_usage"])
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// waitForMore waits until the writers are ahead of a snapshot.
func waitForMore(t *testing.T, f pgtest.Fixture, than int) {
	t.Helper()
	for n := 0; n <= than; {
		if err := query(t, f, &n, "SELECT count(*) FROM "+pgx.Identifier{f.Tenant.Schema, "file_usage"}.Sanitize()); err != nil {
			t.Fatal(err)
		}
	}
}

// A schema that somebody changed by hand is not carried: it might not go in.
func TestDriftIsRefused(t *testing.T) {
	f, c := pgtest.Tenant(t), carrier(t)
	f.BehindTheWall(t, "ALTER TABLE users ADD COLUMN shoe_size integer")
	err := c.Out(t.Context(), f.Tenant.Schema, func(*pg.Snapshot, uow.Tx) error { return nil })
	if !errors.Is(err, pg.ErrDrift) {
		t.Errorf("got %v", err)
	}
}

// A schema takes the place of another under a unit of work that is under way:
// that one begins again and ends in the new schema. What lasts has moved.
func TestReplaceUnderAUnitOfWork(t *testing.T) {
	f, c := pgtest.Tenant(t), carrier(t)
	furnish(t, f)
	defer retire(t, f)
	trail := rows(t, f, f.Tenant.Schema, "audit_events")
	to := transfer(t, c, f.Tenant.Schema, func(t pg.Table) bool { return t.Lasting })
	attempts := 0
	f.Write(t, func(tx uow.Tx) error {
		attempts++
		if _, err := pg.DB(tx).Exec(t.Context(), "UPDATE policy SET version = version + 10"); err != nil {
			return err
		}
		if attempts == 1 {
			err := c.Replace(t.Context(), f.Tenant.Schema, to, func(tx uow.Tx) error {
				_, err := pg.DB(tx).Exec(t.Context(), "UPDATE control.tenants SET schema_name = $2, schema_version = $3 WHERE id = $1", f.Tenant.ID, to, c.Version())
				return err
			})
			if err != nil {
				return err
			}
		}
		_, err := pg.DB(tx).Exec(t.Context(), "SELECT FROM audit_events")
		return err
	})
	if got := rows(t, f, to, "policy"); attempts != 2 || !strings.HasPrefix(got, "(t,13,") {
		t.Errorf("after %d attempts: %s", attempts, got)
	}
	if got := rows(t, f, to, "audit_events"); got != trail || trail == "" {
		t.Errorf("the trail is %q, was %q", got, trail)
	}
	if err := c.Remove(t.Context(), f.Tenant.Schema); err != nil {
		t.Error(err)
	}
	f.Tenant.Schema = to
	f.Read(t, func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(t.Context(), "SELECT FROM users, audit_events")
		return err
	})
}

// A read that meets its statement for the first time while the schema goes away
// under it begins again in the new one: nobody sees a failure.
func TestReplaceUnderAFirstRead(t *testing.T) {
	f, c := pgtest.Tenant(t), carrier(t)
	furnish(t, f)
	to := transfer(t, c, f.Tenant.Schema, func(pg.Table) bool { return false })
	db, err := pgx.Connect(t.Context(), f.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.WithoutCancel(t.Context()))
	for name, read := range map[string]func(tx uow.Tx) error{
		"one row": func(tx uow.Tx) error {
			var n int
			return pg.DB(tx).QueryRow(t.Context(), "SELECT count(*) FROM policy /* one */").Scan(&n)
		},
		"rows": func(tx uow.Tx) error {
			_, err := pg.DB(tx).Exec(t.Context(), "SELECT version FROM policy /* all */")
			return err
		},
	} {
		old := f.Tenant.Schema
		if _, err := db.Exec(t.Context(), "BEGIN; LOCK TABLE "+pgx.Identifier{old, "policy"}.Sanitize()); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- f.Unit().Read(t.Context(), read) }()
		waitForLock(t, f, old)
		_, err := db.Exec(t.Context(), "UPDATE control.tenants SET schema_name = '"+to+"' WHERE schema_name = '"+old+"';"+
			"ALTER TABLE "+pgx.Identifier{old, "policy"}.Sanitize()+" RENAME TO gone; COMMIT")
		if err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f.Tenant.Schema, to = to, old
		if _, err := db.Exec(t.Context(), "ALTER TABLE "+pgx.Identifier{old, "gone"}.Sanitize()+" RENAME TO policy"); err != nil {
			t.Fatal(err)
		}
	}
}

// lockPatience is how long a test waits for somebody to wait.
const lockPatience = 30 * time.Second

// waitForLock waits until somebody waits for a lock on a table of the schema.
func waitForLock(t *testing.T, f pgtest.Fixture, schema string) {
	t.Helper()
	for deadline := time.Now().Add(lockPatience); !contended(t, f, schema); {
		if time.Now().After(deadline) {
			t.Fatalf("nobody waits for a table of %s", schema)
		}
	}
}

// contended reports whether somebody waits for a lock on a table of the schema.
func contended(t *testing.T, f pgtest.Fixture, schema string) (waits bool) {
	t.Helper()
	err := query(t, f, &waits, `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
		WHERE NOT l.granted AND c.relnamespace = $1::regnamespace)`, schema)
	if err != nil {
		t.Fatal(err)
	}
	return waits
}

func TestRemoveLeavesNothing(t *testing.T) {
	f, c := pgtest.Tenant(t), carrier(t)
	furnish(t, f)
	retire(t, f)
	for range 2 {
		if err := c.Remove(t.Context(), f.Tenant.Schema); err != nil {
			t.Fatal(err)
		}
	}
	var left int
	err := query(t, f, &left, `SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1) + (SELECT count(*) FROM pg_roles WHERE rolname = $1)`, f.Tenant.Schema)
	if err != nil || left != 0 {
		t.Errorf("%d left, %v", left, err)
	}
}

func TestRowsThatDoNotFitAreRefused(t *testing.T) {
	f, c := pgtest.Tenant(t), carrier(t)
	to := transfer(t, c, f.Tenant.Schema, func(pg.Table) bool { return false })
	table := pg.Table{Name: "policy", Columns: []string{"current", "version"}}
	for _, rows := range []string{"t\n", "t\tx\n", "t\t1\nt\t2\n"} {
		if err := c.Fill(to, table, table.Columns).Add(t.Context(), []byte(rows)); err == nil {
			t.Errorf("%q went in", rows)
		}
	}
}

func TestAlone(t *testing.T) {
	c, id := carrier(t), uuid.New()
	err := c.Alone(t.Context(), id, func(context.Context) error {
		return c.Alone(t.Context(), id, func(context.Context) error { return nil })
	})
	if !errors.Is(err, pg.ErrTaken) {
		t.Errorf("got %v", err)
	}
	if err := c.Alone(t.Context(), id, func(context.Context) error { return io.EOF }); !errors.Is(err, io.EOF) {
		t.Errorf("afterwards: %v", err)
	}
}
