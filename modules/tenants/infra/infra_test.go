package infra_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	repo  = infra.NewRepository(infra.NewMirror(nil))
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

func tenant(t *testing.T, slug string) domain.Tenant {
	t.Helper()
	got, err := domain.Register(uuid.Must(uuid.NewV7()), slug, "Name of "+slug, tenancy.Customer, "admin@example.com", start)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func control(t *testing.T, fn func(tx uow.Tx) error) error {
	t.Helper()
	return pgtest.Database(t).Migrator.Control().Write(t.Context(), fn)
}

func insert(t *testing.T, all ...domain.Tenant) {
	t.Helper()
	err := control(t, func(tx uow.Tx) error {
		for _, one := range all {
			if err := repo.Insert(t.Context(), tx, one); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestInsertAndGet(t *testing.T) {
	want := tenant(t, "insert-and-get")
	insert(t, want)
	var got domain.Tenant
	err := control(t, func(tx uow.Tx) (err error) {
		got, err = repo.Get(t.Context(), tx, want.ID)
		return err
	})
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	twin := tenant(t, "insert-and-get")
	if err := control(t, func(tx uow.Tx) error { return repo.Insert(t.Context(), tx, twin) }); !errors.Is(err, domain.ErrSlugTaken) {
		t.Errorf("a second one with this slug: %v", err)
	}
	err = control(t, func(tx uow.Tx) error { _, err := repo.Get(t.Context(), tx, uuid.Max); return err })
	if !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

func TestOneLandlord(t *testing.T) {
	first, second := tenant(t, "landlord-one"), tenant(t, "landlord-two")
	first.Kind, second.Kind = tenancy.Landlord, tenancy.Landlord
	insert(t, first)
	if err := control(t, func(tx uow.Tx) error { return repo.Insert(t.Context(), tx, second) }); !errors.Is(err, domain.ErrLandlordTaken) {
		t.Errorf("got %v", err)
	}
	got, err := infra.NewDirectory(pgtest.Database(t).Pool.Control).Landlord(t.Context())
	if err != nil || got.ID != first.ID {
		t.Errorf("got %v, %v", got.Slug, err)
	}
}

func TestUpdateNeedsTheCurrentVersion(t *testing.T) {
	one := tenant(t, "update-version")
	insert(t, one)
	update := func(version int64) (next domain.Tenant, err error) {
		change := one
		change.Version, change.Name = version, "Changed"
		err = control(t, func(tx uow.Tx) error {
			next, err = repo.Update(t.Context(), tx, change)
			return err
		})
		return next, err
	}
	if next, err := update(1); err != nil || next.Version != 2 {
		t.Fatalf("got %+v, %v", next, err)
	}
	if _, err := update(1); !errors.Is(err, errs.ErrPreconditionFailed) {
		t.Errorf("stale version: %v", err)
	}
	one.ID = uuid.Max
	if _, err := update(2); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

// Pages of every size over random tenants show exactly those that the rule
// selects, each once, newest first.
func TestListAgainstItsRule(t *testing.T) {
	statuses := []tenancy.Status{tenancy.Provisioning, tenancy.Active, tenancy.Suspended, tenancy.Deleting}
	var all []domain.Tenant
	for i := range 60 {
		one := tenant(t, "list-"+string(rune('a'+i/26))+string(rune('a'+i%26)))
		one.Status = statuses[i*7%len(statuses)]
		one.CreatedAt = start.Add(-time.Duration(i/3) * time.Hour) // some share an instant
		all = append(all, one)
	}
	insert(t, all...)
	mine := map[uuid.UUID]bool{}
	for _, one := range all {
		mine[one.ID] = true
	}
	rapid.Check(t, func(rt *rapid.T) {
		spec := domain.Spec{Status: rapid.SampledFrom(append(statuses, "")).Draw(rt, "status")}
		limit := rapid.IntRange(1, 70).Draw(rt, "limit")
		var want []uuid.UUID
		for _, one := range all {
			if spec.Matches(one) {
				want = append(want, one.ID)
			}
		}
		var got []domain.Tenant
		for r := (page.Request{Limit: limit}); ; {
			var p page.Page[domain.Tenant]
			err := control(t, func(tx uow.Tx) (err error) {
				p, err = repo.List(t.Context(), tx, spec, r)
				return err
			})
			if err != nil {
				rt.Fatal(err)
			}
			got = append(got, p.Items...)
			if p.Next == nil {
				break
			}
			r.After = p.Next
		}
		if !slices.IsSortedFunc(got, func(a, b domain.Tenant) int {
			if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
				return c
			}
			return slices.Compare(b.ID[:], a.ID[:])
		}) {
			rt.Fatal("not newest first")
		}
		var ids []uuid.UUID
		for _, one := range got {
			if mine[one.ID] { // other tests share the table
				ids = append(ids, one.ID)
			}
		}
		if len(ids) != len(want) {
			rt.Fatalf("%d tenants, want %d", len(ids), len(want))
		}
		for _, id := range want {
			if !slices.Contains(ids, id) {
				rt.Fatalf("%s is missing", id)
			}
		}
	})
}

func TestDirectoryHidesWhatIsGone(t *testing.T) {
	dir := infra.NewDirectory(pgtest.Database(t).Pool.Control)
	for status, want := range map[tenancy.Status]error{
		tenancy.Active: nil, tenancy.Suspended: nil, tenancy.Provisioning: nil,
		tenancy.Deleting: tenancy.ErrUnknown, tenancy.Erased: tenancy.ErrUnknown,
	} {
		one := tenant(t, "directory-"+string(status))
		one.Status = status
		insert(t, one)
		if _, err := dir.ByID(t.Context(), one.ID); !errors.Is(err, want) {
			t.Errorf("%s by id: %v", status, err)
		}
		if _, err := dir.BySlug(t.Context(), one.Slug); !errors.Is(err, want) {
			t.Errorf("%s by slug: %v", status, err)
		}
	}
	if _, err := dir.BySlug(t.Context(), "nobody"); !errors.Is(err, tenancy.ErrUnknown) {
		t.Errorf("nobody: %v", err)
	}
}
