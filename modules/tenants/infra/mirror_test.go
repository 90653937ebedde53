package infra_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// mirrorOf is the mirror of a process that knows migrators by placement.
func mirrorOf(t *testing.T, others map[string]*pg.Migrator) *infra.Mirror {
	t.Helper()
	all := pg.NewPlacements(pgtest.Database(t).Migrator, others)
	return infra.NewMirror(func(placement string) (pg.ControlUnit, error) {
		m, err := all.Of(placement)
		if err != nil {
			return pg.ControlUnit{}, err
		}
		return m.Control(), nil
	})
}

func registered(t *testing.T, f pgtest.Fixture) (got domain.Tenant) {
	t.Helper()
	if err := control(t, func(tx uow.Tx) (err error) { got, err = repo.Get(t.Context(), tx, f.Tenant.ID); return err }); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAChangeIsWhereTheTenantIsBeforeItIsCommitted(t *testing.T) {
	t.Parallel()
	p := pgtest.Beside(t)
	mirror := mirrorOf(t, map[string]*pg.Migrator{p.Name: p.Migrator})
	placed := infra.NewRepository(mirror)
	f := p.Tenant(t)
	suspended, err := registered(t, f).Suspend(start)
	if err != nil {
		t.Fatal(err)
	}
	undone := errors.New("something else fails")
	err = control(t, func(tx uow.Tx) error {
		after, err := placed.Update(t.Context(), tx, suspended)
		if err != nil {
			return err
		}
		there, err := mirror.Entry(t.Context(), p.Name, f.Tenant.ID)
		if err == nil && (there.Status != tenancy.Suspended || there.Version != after.Version) {
			t.Errorf("the placement has %+v", there)
		}
		return errors.Join(err, undone)
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	// What was rolled back here is still there, until it is mended.
	if unlike, err := mirror.Unlike(t.Context(), p.Name); err != nil || !slices.Contains(unlike, f.Tenant.ID) {
		t.Fatalf("found unlike: %v, %v", unlike, err)
	}
	if err := mirror.Mend(t.Context(), f.Tenant.ID); err != nil {
		t.Fatal(err)
	}
	if unlike, err := mirror.Unlike(t.Context(), p.Name); err != nil || len(unlike) != 0 {
		t.Fatalf("still unlike: %v, %v", unlike, err)
	}
	f.Read(t, func(tx uow.Tx) error { return pg.DB(tx).QueryRow(t.Context(), "SELECT 1").Scan(new(int)) })
	if houses, err := mirror.Houses(t.Context()); err != nil || houses[p.Name] == 0 {
		t.Errorf("houses %v, %v", houses, err)
	}
}

func TestAPlacementThatIsAwayRefusesChanges(t *testing.T) {
	t.Parallel()
	p := pgtest.Beside(t)
	f := p.Tenant(t)
	before := registered(t, f)
	renamed, err := before.Rename("Another", start)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		others map[string]*pg.Migrator
		want   error
	}{
		"away":    {map[string]*pg.Migrator{p.Name: pgtest.Away(t)}, errs.ErrUnavailable},
		"unknown": {nil, tenancy.ErrUnplaced},
	} {
		err := control(t, func(tx uow.Tx) error {
			_, err := infra.NewRepository(mirrorOf(t, tc.others)).Update(t.Context(), tx, renamed)
			return err
		})
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
		if after := registered(t, f); after != before {
			t.Errorf("%s: the registry has %+v", name, after)
		}
	}
}

// Of which version the rows are is decided beside the rows.
func TestTheRegistryLearnsTheVersionOfTheRows(t *testing.T) {
	t.Parallel()
	p := pgtest.Beside(t)
	mirror := mirrorOf(t, map[string]*pg.Migrator{p.Name: p.Migrator})
	f := p.Tenant(t)
	if registered(t, f).SchemaVersion != 0 {
		t.Fatal("the registry was told of the version already")
	}
	if err := mirror.Mend(t.Context(), f.Tenant.ID); err != nil {
		t.Fatal(err)
	}
	if got := registered(t, f).SchemaVersion; got != p.Migrator.TenantVersion() {
		t.Errorf("version %d, want %d", got, p.Migrator.TenantVersion())
	}
}
