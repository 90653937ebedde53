package isolation

import (
	"testing"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

// A row of somebody else in a tenant's schema is what a leak would leave: the
// check must see it, both in passing and at the end.
func TestACrossedRowIsFound(t *testing.T) {
	a, b := pgtest.Tenant(t), pgtest.Tenant(t)
	c := &tester{o: Options{Pool: a.Pool}}
	c.tenants[0], c.tenants[1] = a.Tenant, b.Tenant
	c.write(t.Context(), 0)
	c.write(t.Context(), 1)
	if err := c.count(t.Context()); err != nil || len(c.crossed) != 0 {
		t.Fatalf("without a leak: %v, %v", err, c.crossed)
	}
	a.Write(t, func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(t.Context(), `UPDATE idempotency_keys SET caller_id = $1`, b.Tenant.ID)
		return err
	})
	c.read(t.Context(), 0)
	if len(c.crossed) != 1 {
		t.Errorf("in passing: %v", c.crossed)
	}
	if err := c.count(t.Context()); err != nil || len(c.crossed) != 2 {
		t.Errorf("at the end: %v, %v", err, c.crossed)
	}
	c.rows[1].Add(5)
	if err := c.count(t.Context()); err == nil {
		t.Error("lost writes were not noticed")
	}
}
