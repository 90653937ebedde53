package pg_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

// held looks at a table, as a long report does, until the test lets it go.
func held(t *testing.T, f pgtest.Fixture, schema, table string) (release func()) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), f.SuperuserURL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), "BEGIN; LOCK TABLE "+pgx.Identifier{schema, table}.Sanitize()+" IN ACCESS SHARE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() { _ = db.Close(context.WithoutCancel(t.Context())) }
}

// TestASwapWaitsForItsTables while somebody looks at one of them, and keeps
// nobody else waiting for as long: the tenant works on, and is swapped once the
// table is let go.
func TestASwapWaitsForItsTables(t *testing.T) {
	f, c := pgtest.Tenant(t), carrier(t)
	furnish(t, f)
	defer retire(t, f)
	to, old := transfer(t, c, f.Tenant.Schema, func(t pg.Table) bool { return t.Lasting }), f.Tenant.Schema
	release := held(t, f, old, "audit_events")
	defer release()
	decided, done := 0, make(chan error, 1)
	go func() {
		done <- c.Replace(t.Context(), old, to, func(tx uow.Tx) error {
			decided++
			_, err := pg.DB(tx).Exec(t.Context(), "UPDATE control.tenants SET schema_name = $2 WHERE id = $1", f.Tenant.ID, to)
			return err
		})
	}()
	for range 3 {
		waitForLock(t, f, old)
		f.Read(t, func(tx uow.Tx) error {
			_, err := pg.DB(tx).Exec(t.Context(), "SELECT FROM audit_events")
			return err
		})
		for deadline := time.Now().Add(lockPatience); contended(t, f, old); {
			if time.Now().After(deadline) {
				t.Fatal("the swap does not give up for the moment")
			}
		}
	}
	release()
	if err := <-done; err != nil || decided != 1 {
		t.Fatalf("decided %d times: %v", decided, err)
	}
	if got := rows(t, f, to, "audit_events"); got == "" {
		t.Error("the trail has not come along")
	}
	if err := c.Remove(t.Context(), old); err != nil {
		t.Error(err)
	}
	f.Tenant.Schema = to
}

// TestASwapGivesUp when a table is not let go, and has changed nothing.
func TestASwapGivesUp(t *testing.T) {
	f, c := pgtest.Tenant(t), carrier(t)
	furnish(t, f)
	to := transfer(t, c, f.Tenant.Schema, func(t pg.Table) bool { return t.Lasting })
	defer held(t, f, f.Tenant.Schema, "audit_seals")()
	c.Hasty(3)
	err := c.Replace(t.Context(), f.Tenant.Schema, to, func(uow.Tx) error { return errors.New("it was decided") })
	if !errors.Is(err, pg.ErrSwapBusy) {
		t.Errorf("got %v", err)
	}
	for _, schema := range []string{f.Tenant.Schema, to} {
		if rows(t, f, schema, "audit_seals") != "" || schema == f.Tenant.Schema && rows(t, f, schema, "audit_events") == "" {
			t.Errorf("the tables of %s are not as they were", schema)
		}
	}
}
