package fleet_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/fleet"
)

// stocked makes spare schemas of a version and removes them at the end.
func stocked(t *testing.T, keep int, files ...file) []pg.Spare {
	t.Helper()
	m := migrator(t, files...)
	name := func() string {
		id := uuid.Must(uuid.NewV7())
		return "t_" + hex.EncodeToString(id[:])
	}
	if err := pg.NewStock(m, pg.Stocking{Keep: keep, Name: name, Clock: clock.System{}}).Restock(t.Context()); err != nil {
		t.Fatal(err)
	}
	stock, err := m.Spares(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn := superuser(t)
		for _, s := range stock {
			run(t, conn, "DROP SCHEMA IF EXISTS "+s.Schema+" CASCADE; DROP ROLE IF EXISTS "+s.Schema)
		}
		run(t, conn, "TRUNCATE control.spares")
	})
	return stock
}

// The fleet counts spares and compares them with what is declared, and leaves
// them to those who look after the stock.
func TestTheFleetKnowsOfSpares(t *testing.T) {
	stock := stocked(t, 2, first)
	street(t, 1, first, second)
	f := open(t, first, second)
	conn := superuser(t)
	run(t, conn, "UPDATE control.spares SET state = 'leaving' WHERE schema_name = '"+stock[1].Schema+"'")
	run(t, conn, "DROP TABLE "+stock[1].Schema+".rooms")

	if s, err := f.Status(t.Context()); err != nil || !slices.Equal(s.Spares, []fleet.Spares{{Version: v1, Spares: 2, Ready: 1}}) {
		t.Errorf("status %+v, %v", s, err)
	}
	if behind := planned(t, f, fleet.Selection{}); len(behind) != 0 {
		t.Errorf("planned %v", behind)
	}
	if report, err := f.Apply(t.Context(), fleet.Options{Parallel: 1}); err != nil || report != (fleet.Report{Target: v2}) {
		t.Errorf("applied %+v, %v", report, err)
	}
	verified := func(want fleet.Verified, says string) {
		t.Helper()
		var said []string
		v, err := f.Verify(t.Context(), fleet.VerifyOptions{Parallel: 2, Told: func(found fleet.Finding) {
			if !found.Spare || found.Tenant.Schema != stock[0].Schema {
				t.Errorf("found %+v", found)
			}
			said = append(said, found.Drift...)
		}})
		if err != nil || v != want || strings.Join(said, "; ") != says {
			t.Errorf("verified %+v, %q, %v", v, said, err)
		}
	}
	verified(fleet.Verified{Checked: 1, Spares: 1}, "")
	run(t, conn, "ALTER TABLE "+stock[0].Schema+".rooms DROP COLUMN name")
	verified(fleet.Verified{Checked: 1, Spares: 1, Drifted: 1}, "missing: column rooms.name text")
}
