package fleet_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/fleet"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// village is a fleet over the package's database and a placement beside it.
func village(t *testing.T, p pgtest.Placement, files ...file) (*fleet.Fleet, *pg.Migrator) {
	t.Helper()
	there, err := pg.OpenMigrator(t.Context(), p.MigratorURL, fstest.MapFS{}, directory(t, files...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(there.Close)
	return fleet.New(pg.NewPlacements(migrator(t, files...), map[string]*pg.Migrator{p.Name: there}), clock.System{}), there
}

// placed provisions a tenant in the placement and tells the registry.
func placed(t *testing.T, p pgtest.Placement, there *pg.Migrator) tenancy.Tenant {
	t.Helper()
	h := house(t, there, tenancy.Customer)
	h.Placement = p.Name
	t.Cleanup(func() { // before the role is dropped
		owned := func(tx uow.Tx) error {
			_, err := pg.DB(tx).Exec(context.Background(), "DROP SCHEMA "+h.Schema+" CASCADE")
			return err
		}
		if err := there.Control().Write(context.Background(), owned); err != nil {
			t.Error(err)
		}
	})
	for _, m := range []*pg.Migrator{there, here(t).Migrator} {
		err := m.Control().Write(t.Context(), func(tx uow.Tx) error {
			_, err := pg.DB(tx).Exec(t.Context(), `INSERT INTO control.tenants
				(id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement)
				VALUES ($1, $2, 'x', 'customer', 'active', $3, 'a@example.com', 1, $4, $4, $5, $6)
				ON CONFLICT (id) DO UPDATE SET placement = excluded.placement`, h.ID, h.Slug, h.Schema, time.Now(), v1, p.Name)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func TestTheFleetGoesToEveryPlacement(t *testing.T) {
	p := pgtest.Beside(t)
	_, there := village(t, p, first)
	h := placed(t, p, there)
	other := street(t, 1, first)[0]
	f, now := village(t, p, first, second)
	only := fleet.Selection{Slugs: []string{h.Slug, other.Slug}}

	// A process that was not told of the placement leaves its tenants alone, and says so.
	report, err := open(t, first, second).Apply(t.Context(), fleet.Options{Selection: fleet.Selection{Slugs: []string{h.Slug}}, Parallel: 1, Told: func(o fleet.Outcome) {
		if !errors.Is(o.Err, tenancy.ErrUnplaced) {
			t.Errorf("outcome %v, want ErrUnplaced", o.Err)
		}
	}})
	if !errors.Is(err, fleet.ErrFailed) || report.Failed != 1 {
		t.Fatalf("%+v, %v", report, err)
	}

	report, err = f.Apply(t.Context(), fleet.Options{Selection: only, Parallel: 2})
	if err != nil || report.Done != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	if got := whole(t, []tenancy.Tenant{h, other}, f); got[0] != v2 || got[1] != v2 {
		t.Errorf("versions %v", got)
	}

	// Killed between the placement and the registry: the next run finds nothing left to do but that.
	run(t, superuser(t), "UPDATE control.tenants SET schema_version = 20260101000000 WHERE id = '"+h.ID.String()+"'")
	report, err = f.Apply(t.Context(), fleet.Options{Selection: only, Parallel: 1, Told: func(o fleet.Outcome) {
		if len(o.Applied) != 0 {
			t.Errorf("applied %v again", o.Applied)
		}
	}})
	if err != nil || report.Done != 1 || whole(t, []tenancy.Tenant{h}, f)[0] != v2 {
		t.Fatalf("%+v, %v", report, err)
	}

	// Drift is found where the rows are.
	err = now.Control().Write(t.Context(), func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(context.Background(), "DROP TABLE "+h.Schema+".keys")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if found := findings(t, f, h); !strings.Contains(found, "keys") {
		t.Errorf("found %q", found)
	}
}

// TestTheFleetPassesByWhoMoves: a tenant that is being moved is neither taken
// nor failed, whether that was known when the plan was made or not, and is taken
// by the next run, wherever it is then.
func TestTheFleetPassesByWhoMoves(t *testing.T) {
	p := pgtest.Beside(t)
	_, there := village(t, p, first)
	stays, known, late := street(t, 1, first)[0], street(t, 1, first)[0], placed(t, p, there)
	f, _ := village(t, p, first, second)
	db := superuser(t)
	moves := func(h tenancy.Tenant) {
		run(t, db, `INSERT INTO control.copies (operation_id, kind, step, source_id, target_id, schema_name, old_schema, attempts, from_placement, to_placement)
			VALUES ('`+h.ID.String()+`', 'move', 'copying', '`+h.ID.String()+`', '`+h.ID.String()+`', '', '', 0, '', '')`)
	}
	only := fleet.Selection{Slugs: []string{stays.Slug, known.Slug, late.Slug}}
	moves(known)
	plan, err := f.Plan(t.Context(), only)
	if err != nil || len(plan.Behind) != 2 || len(plan.Moving) != 1 || plan.Moving[0].Slug != known.Slug {
		t.Fatalf("the plan is %+v, %v", plan, err)
	}
	var passed []string
	o := fleet.Options{Selection: only, Parallel: 1, Planned: func(int) { moves(late) }, Told: func(o fleet.Outcome) {
		if o.Moving {
			passed = append(passed, o.Tenant.Slug)
		}
		if o.Err != nil {
			t.Errorf("%s: %v", o.Tenant.Slug, o.Err)
		}
	}}
	report, err := f.Apply(t.Context(), o)
	if err != nil || report.Done != 1 || report.Moving != 2 || report.Failed+report.Left != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if !slices.Equal(passed, []string{known.Slug, late.Slug}) {
		t.Errorf("passed by: %v", passed)
	}
	s, err := f.Status(t.Context())
	if err != nil || len(s.Moving) < 2 {
		t.Errorf("the status is %+v, %v", s, err)
	}

	run(t, db, "UPDATE control.copies SET step = 'over' WHERE kind = 'move'")
	o.Planned = nil
	report, err = f.Apply(t.Context(), o)
	if err != nil || report.Done != 2 || report.Moving != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if got := whole(t, []tenancy.Tenant{stays, known, late}, f); got[0] != v2 || got[1] != v2 || got[2] != v2 {
		t.Errorf("versions %v", got)
	}
}

// TestWhoHasMovedSinceThePlan is not looked for where it was.
func TestWhoHasMovedSinceThePlan(t *testing.T) {
	p := pgtest.Beside(t)
	_, there := village(t, p, first)
	h := placed(t, p, there)
	f, _ := village(t, p, first, second)
	db := superuser(t)
	place := func(name string) {
		run(t, db, "UPDATE control.tenants SET placement = '"+name+"' WHERE id = '"+h.ID.String()+"'")
	}
	place(tenancy.MainPlacement)
	o := fleet.Options{Selection: fleet.Selection{Slugs: []string{h.Slug}}, Parallel: 1, Planned: func(int) { place(p.Name) }}
	report, err := f.Apply(t.Context(), o)
	if err != nil || report.Moving != 1 || report.Failed+report.Done+report.Left != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	o.Planned = nil
	report, err = f.Apply(t.Context(), o)
	if err != nil || report.Done != 1 || whole(t, []tenancy.Tenant{h}, f)[0] != v2 {
		t.Errorf("%+v, %v", report, err)
	}
}
