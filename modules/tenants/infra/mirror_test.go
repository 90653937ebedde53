package infra_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"

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

// TestAPlacementForgetsWhoIsGone: an entry that the registry does not know any
// more is taken away, so that its slug is free, unless there are rows of it; and
// nobody brings back that of a tenant that is being erased.
func TestAPlacementForgetsWhoIsGone(t *testing.T) {
	t.Parallel()
	p := pgtest.Beside(t)
	mirror := mirrorOf(t, map[string]*pg.Migrator{p.Name: p.Migrator})
	stays, rows, gone := p.Tenant(t), tenant(t, anySlug()), tenant(t, anySlug())
	for _, one := range []*domain.Tenant{&rows, &gone} {
		one.Placement = p.Name
		if err := mirror.Put(t.Context(), p.Name, *one); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, p.SuperuserURL, "CREATE SCHEMA "+rows.Schema)
	if err := mirror.Expel(t.Context(), p.Name); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[uuid.UUID]error{stays.Tenant.ID: nil, rows.ID: nil, gone.ID: domain.ErrNotFound} {
		if _, err := mirror.Entry(t.Context(), p.Name, id); !errors.Is(err, want) {
			t.Errorf("the entry of %s: %v, want %v", id, err, want)
		}
	}
	execute(t, pgtest.Database(t).SuperuserURL, "UPDATE control.tenants SET status = 'erasing' WHERE id = '"+stays.Tenant.ID.String()+"'")
	execute(t, p.SuperuserURL, "DELETE FROM control.tenants WHERE id = '"+stays.Tenant.ID.String()+"'")
	if unlike, err := mirror.Unlike(t.Context(), p.Name); err != nil || len(unlike) != 0 {
		t.Errorf("found unlike: %v, %v", unlike, err)
	}
	if err := mirror.Mend(t.Context(), stays.Tenant.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := mirror.Entry(t.Context(), p.Name, stays.Tenant.ID); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("the entry of an erased tenant is back: %v", err)
	}
}

// TestTheRegistryLearnsTheSchemaOfTheRows, unless somebody is at work on it; and
// an announcement that comes late changes nothing.
func TestTheRegistryLearnsTheSchemaOfTheRows(t *testing.T) {
	t.Parallel()
	p := pgtest.Beside(t)
	mirror := mirrorOf(t, map[string]*pg.Migrator{p.Name: p.Migrator})
	f := p.Tenant(t)
	before := registered(t, f)
	other := domain.NewSchema(uuid.New())
	execute(t, p.SuperuserURL, "UPDATE control.tenants SET schema_name = '"+other+"' WHERE id = '"+f.Tenant.ID.String()+"'")
	c := domain.Copy{Operation: uuid.New(), Kind: domain.CopyOver, Step: domain.Copying, Source: before.ID, Target: before.ID, Schema: other, To: p.Name}
	if err := control(t, func(tx uow.Tx) error { return infra.NewBackups().InsertCopy(t.Context(), tx, c) }); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{before.Schema, other} {
		if unlike, err := mirror.Unlike(t.Context(), p.Name); err != nil || !slices.Contains(unlike, f.Tenant.ID) {
			t.Errorf("found unlike: %v, %v", unlike, err)
		}
		if err := mirror.Mend(t.Context(), f.Tenant.ID); err != nil {
			t.Fatal(err)
		}
		if got := registered(t, f).Schema; got != want {
			t.Errorf("the registry says %s, want %s", got, want)
		}
		execute(t, pgtest.Database(t).SuperuserURL, "UPDATE control.copies SET step = 'over' WHERE operation_id = '"+c.Operation.String()+"'")
	}
	late := before
	late.Status = tenancy.Provisioning
	if err := mirror.Announce(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if there, err := mirror.Entry(t.Context(), p.Name, late.ID); err != nil || there.Status != tenancy.Active {
		t.Errorf("the entry is %+v, %v", there, err)
	}
}
