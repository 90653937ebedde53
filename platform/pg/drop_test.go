package pg_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
)

// lockBound is what a transaction of a drop may hold in the lock table that all
// tenants share: the relations it drops, and some that these refer to.
const lockBound = 150

// TestDropInBatches drops a schema of many tables: no transaction takes many
// locks, an interrupted drop goes on, and a repeated one does nothing.
func TestDropInBatches(t *testing.T) {
	f := pgtest.Tenant(t)
	f.BehindTheWall(t, `DO $$ BEGIN
		EXECUTE 'SET LOCAL ROLE insula_migrator';
		FOR i IN 1..150 LOOP
			EXECUTE format('CREATE TABLE product_%s (id uuid PRIMARY KEY, a text, b text)', i);
			EXECUTE format('CREATE INDEX product_%s_a ON product_%s (a)', i, i);
		END LOOP;
	END $$`)
	f.BehindTheWall(t, "INSERT INTO product_7 SELECT gen_random_uuid(), 'a', 'b' FROM generate_series(1, 41)")
	remover := pg.NewRemover(f.Migrator)
	held, err := remover.Holdings(t.Context(), f.Tenant.Schema)
	if err != nil || held.Tables < 170 || held.Rows < 41 || held.Bytes < 41*16 {
		t.Fatalf("it holds %+v, %v", held, err)
	}

	retire(t, f)
	ctx, stop := context.WithCancel(t.Context())
	interrupted, dropped := 0, 0
	err = remover.Drop(ctx, f.Tenant.Schema, func(pg.Dropped) { // before the commit of the second
		if interrupted++; interrupted == 2 {
			stop()
		}
	})
	if err == nil || interrupted != 2 {
		t.Fatalf("it went on after the end: %d, %v", interrupted, err)
	}
	rest, err := remover.Holdings(t.Context(), f.Tenant.Schema)
	if err != nil || rest.Tables >= held.Tables || rest.Tables < held.Tables/2 {
		t.Fatalf("after an interruption it holds %+v, %v", rest, err)
	}
	var locks []int
	for range 2 {
		err := remover.Drop(t.Context(), f.Tenant.Schema, func(d pg.Dropped) {
			dropped += len(d.Tables)
			locks = append(locks, d.Locks)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if int64(dropped) != rest.Tables || len(locks) < 10 || slices.Max(locks) > lockBound || slices.Max(locks) == 0 {
		t.Errorf("%d of %d tables with the locks %v", dropped, rest.Tables, locks)
	}
	left, err := remover.Holdings(t.Context(), f.Tenant.Schema)
	if err != nil || left != (pg.Holdings{}) {
		t.Errorf("left: %+v, %v", left, err)
	}
	t.Logf("%d tables in %d transactions, at most %d locks", dropped, len(locks), slices.Max(locks))
}

// retire takes a tenant out of everybody's reach, as erasing it does.
func retire(t *testing.T, f pgtest.Fixture) {
	t.Helper()
	f.BehindTheWall(t, "UPDATE control.tenants SET status = 'erasing' WHERE id = $1", f.Tenant.ID)
}

// TestAServedSchemaIsNotDropped, whoever asks for it and however the tenant is
// kept from its users; one that is being made and one that is erased may go.
func TestAServedSchemaIsNotDropped(t *testing.T) {
	f, c := pgtest.Tenant(t), carrier(t)
	for _, status := range []string{"active", "suspended", "deleting"} {
		f.BehindTheWall(t, "UPDATE control.tenants SET status = $2 WHERE id = $1", f.Tenant.ID, status)
		for who, drop := range map[string]func() error{
			"remover": func() error { return pg.NewRemover(f.Migrator).Drop(t.Context(), f.Tenant.Schema, nil) },
			"carrier": func() error { return c.Remove(t.Context(), f.Tenant.Schema) },
			"prepare": func() error { _, err := c.Prepare(t.Context(), f.Tenant.Schema, c.Version()); return err },
		} {
			if err := drop(); !errors.Is(err, pg.ErrServed) {
				t.Errorf("%s, %s: %v", who, status, err)
			}
		}
	}
	if rows(t, f, f.Tenant.Schema, "roles") != "" {
		t.Error("a tenant without seed has roles")
	}
	f.BehindTheWall(t, "UPDATE control.tenants SET status = 'provisioning' WHERE id = $1", f.Tenant.ID)
	if err := c.Remove(t.Context(), f.Tenant.Schema); err != nil {
		t.Error(err)
	}
}
