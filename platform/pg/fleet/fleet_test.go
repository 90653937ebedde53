package fleet_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/fleet"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

func TestApplyBringsAllThatAreBehind(t *testing.T) {
	houses := street(t, 5, first)
	f := open(t, first, second, third)
	if got := planned(t, f, fleet.Selection{}); !slices.Equal(got, slugs(houses)) {
		t.Fatalf("planned %q", got)
	}
	var told []fleet.Outcome
	report, err := f.Apply(t.Context(), fleet.Options{Parallel: 3, Canary: 1, Wave: 2, Told: func(o fleet.Outcome) { told = append(told, o) }})
	if err != nil || report != (fleet.Report{Target: v3, Done: 5}) {
		t.Fatalf("report %+v, %v", report, err)
	}
	if len(told) != 5 || !told[0].Canary || told[1].Canary || len(told[0].Applied) != 2 {
		t.Errorf("told %+v", told)
	}
	if got := whole(t, houses, f); got[0] != v3 {
		t.Errorf("versions %v", got)
	}
	if report, err := f.Apply(t.Context(), fleet.Options{Parallel: 1}); err != nil || report != (fleet.Report{Target: v3}) {
		t.Errorf("again: %+v, %v", report, err)
	}
	// An older binary leaves them alone.
	if report, err := open(t, first).Apply(t.Context(), fleet.Options{Parallel: 1}); err != nil || report != (fleet.Report{Target: v1, Newer: 5}) {
		t.Errorf("an older binary: %+v, %v", report, err)
	}
}

func TestAFailedCanaryStopsEverything(t *testing.T) {
	houses := street(t, 4, first)
	breakHouse(t, houses[1])
	f := open(t, first, second)
	report, err := f.Apply(t.Context(), fleet.Options{Parallel: 2, Canary: 3})
	if !errors.Is(err, fleet.ErrCanary) || report != (fleet.Report{Target: v2, Done: 1, Failed: 1, Left: 2}) {
		t.Fatalf("report %+v, %v", report, err)
	}
	repair(t, houses[1])
	if got := whole(t, houses, f); !slices.Equal(got, []int64{v1, v1, v1, v2}) {
		t.Errorf("versions %v", got)
	}
}

func TestAWaveWithAFailureIsTheLast(t *testing.T) {
	houses := street(t, 5, first)
	breakHouse(t, houses[0])
	report, err := open(t, first, second).Apply(t.Context(), fleet.Options{Parallel: 2, Wave: 2})
	if !errors.Is(err, fleet.ErrFailed) || report != (fleet.Report{Target: v2, Done: 1, Failed: 1, Left: 3}) {
		t.Fatalf("report %+v, %v", report, err)
	}
}

func TestRetryTakesExactlyTheFailed(t *testing.T) {
	houses := street(t, 4, first)
	breakHouse(t, houses[1])
	breakHouse(t, houses[2])
	f := open(t, first, second)
	only := fleet.Selection{Slugs: slugs(houses[:3])}
	if _, err := f.Apply(t.Context(), fleet.Options{Parallel: 2, Selection: only}); !errors.Is(err, fleet.ErrFailed) {
		t.Fatal(err)
	}
	if got := planned(t, f, fleet.Selection{Failed: true}); !slices.Equal(got, slugs(houses[1:3])) {
		t.Fatalf("failed are %q", got)
	}
	repair(t, houses[1])
	report, err := f.Apply(t.Context(), fleet.Options{Parallel: 1, Selection: fleet.Selection{Failed: true}})
	if !errors.Is(err, fleet.ErrFailed) || report != (fleet.Report{Target: v2, Done: 1, Failed: 1}) {
		t.Fatalf("report %+v, %v", report, err)
	}
	s, err := f.Status(t.Context())
	if err != nil || len(s.Failed) != 1 || s.Failed[0].Slug != houses[2].Slug || s.Failed[0].Attempts != 2 ||
		!strings.Contains(s.Failed[0].Error, `relation "keys" already exists`) {
		t.Errorf("status %+v, %v", s, err)
	}
	if want := []fleet.Version{{v1, 2}, {v2, 2}}; !slices.Equal(s.Versions, want) {
		t.Errorf("versions %+v", s.Versions)
	}
	if _, err := f.Plan(t.Context(), fleet.Selection{Slugs: []string{"nobody"}}); !errors.Is(err, tenancy.ErrUnknown) {
		t.Errorf("an unknown slug: %v", err)
	}
}

func TestAFreezeRefusesUntilItIsThawed(t *testing.T) {
	houses := street(t, 2, first)
	f := open(t, first, second)
	if err := f.Freeze(t.Context(), "sale", "ops"); err != nil {
		t.Fatal(err)
	}
	if err := f.Freeze(t.Context(), "sale", "ops"); !errors.Is(err, fleet.ErrFrozen) {
		t.Errorf("frozen twice: %v", err)
	}
	report, err := f.Apply(t.Context(), fleet.Options{Parallel: 2})
	if !errors.Is(err, fleet.ErrFrozen) || !strings.Contains(err.Error(), "by ops: sale") || report.Left != 2 {
		t.Errorf("report %+v, %v", report, err)
	}
	if thawed, err := f.Thaw(t.Context()); err != nil || !thawed {
		t.Fatal(thawed, err)
	}
	if thawed, err := f.Thaw(t.Context()); err != nil || thawed {
		t.Fatal(thawed, err)
	}
	if _, err := f.Apply(t.Context(), fleet.Options{Parallel: 2}); err != nil {
		t.Fatal(err)
	}
	if got := whole(t, houses, f); got[0] != v2 {
		t.Errorf("versions %v", got)
	}
}

// The registry's copy of a version may be wrong, say after a restore: the
// schema's own history decides.
func TestTheHistoryHasTheLastWord(t *testing.T) {
	houses := street(t, 1, first, second)
	run(t, superuser(t), "UPDATE control.tenants SET schema_version = 0")
	f := open(t, first, second)
	if report, err := f.Apply(t.Context(), fleet.Options{Parallel: 1}); err != nil || report.Done != 1 {
		t.Fatalf("report %+v, %v", report, err)
	}
	if got := whole(t, houses, f); got[0] != v2 {
		t.Errorf("versions %v", got)
	}
}

func TestATenantBelowTheFloorIsRefusedAlone(t *testing.T) {
	old, fresh := street(t, 1, first)[0], street(t, 1, first, second)[0]
	floor, err := pg.Floor(directory(t, first, second, third))
	if err != nil || floor != v2 {
		t.Fatalf("the floor is %d, %v", floor, err)
	}
	pool := pool(t, pgtest.Database(t).AppURL, floor)
	count := func(tx uow.Tx) error {
		var n int
		return pg.DB(tx).QueryRow(t.Context(), "SELECT count(*) FROM rooms").Scan(&n)
	}
	for name, do := range map[string]func(uow.Unit) error{
		"read":  func(u uow.Unit) error { return u.Read(t.Context(), count) },
		"write": func(u uow.Unit) error { return u.Write(t.Context(), count) },
	} {
		err := do(pool.Tenant(old))
		if !errors.Is(err, tenancy.ErrOutdated) || tenancy.ErrOutdated.RetryAfter <= 0 {
			t.Errorf("%s: %v", name, err)
		}
		if err := do(pool.Tenant(fresh)); err != nil {
			t.Errorf("%s: the other tenant noticed: %v", name, err)
		}
	}
	if _, err := open(t, first, second, third).Apply(t.Context(), fleet.Options{Parallel: 1, Selection: fleet.Selection{Slugs: []string{old.Slug}}}); err != nil {
		t.Fatal(err)
	}
	if err := pool.Tenant(old).Read(t.Context(), count); err != nil {
		t.Errorf("after the migration: %v", err)
	}
	if floor, err := pg.Floor(directory(t, first)); err != nil || floor != 0 {
		t.Errorf("with one migration the floor is %d, %v", floor, err)
	}
}

func pool(t *testing.T, url secret.Value, floor int64) *pg.Pool {
	t.Helper()
	p, err := pg.Open(t.Context(), pg.Options{URL: url, MaxConns: 2, Floor: floor})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// TestDeletedTenantsAreKeptUpToDate: they may be brought back at any time. One
// whose erasure begins after the plan was made is passed by, and fails nothing.
func TestDeletedTenantsAreKeptUpToDate(t *testing.T) {
	houses := street(t, 3, first)
	f := open(t, first, second)
	conn := superuser(t)
	run(t, conn, "UPDATE control.tenants SET status = 'deleting' WHERE id IN ('"+houses[0].ID.String()+"', '"+houses[1].ID.String()+"')")
	if got := planned(t, f, fleet.Selection{}); !slices.Equal(got, slugs(houses)) {
		t.Fatalf("planned %q", got)
	}
	report, err := f.Apply(t.Context(), fleet.Options{Parallel: 1, Planned: func(int) {
		run(t, conn, "UPDATE control.tenants SET status = 'erasing' WHERE id = '"+houses[1].ID.String()+"'")
		run(t, conn, "DROP SCHEMA "+houses[1].Schema+" CASCADE")
	}})
	if err != nil || report != (fleet.Report{Target: v2, Done: 2, Erased: 1}) {
		t.Fatalf("report %+v, %v", report, err)
	}
	if n := value[int](t, conn, "SELECT count(*) FROM control.fleet_attempts WHERE tenant_id = '"+houses[1].ID.String()+"'"); n != 0 {
		t.Errorf("%d attempts on the erased tenant are noted", n)
	}
	run(t, conn, "UPDATE control.tenants SET status = 'active' WHERE id = '"+houses[0].ID.String()+"'") // brought back
	if got := whole(t, []tenancy.Tenant{houses[0], houses[2]}, f); !slices.Equal(got, []int64{v2, v2}) {
		t.Errorf("versions %v", got)
	}
	verified, err := f.Verify(t.Context(), fleet.VerifyOptions{Parallel: 1})
	if err != nil || verified != (fleet.Verified{Checked: 2}) {
		t.Errorf("verified %+v, %v", verified, err)
	}
}
