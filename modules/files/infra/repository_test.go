package infra_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	repo = infra.NewRepository()
	now  = time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)
)

func declare(t testing.TB, fileID uuid.UUID, name string, at time.Time) domain.File {
	t.Helper()
	f, err := domain.Declare(fileID, uuid.Max, name, 5, "text/plain", 100, at)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func insert(t testing.TB, tenant pgtest.Fixture, files ...domain.File) {
	t.Helper()
	tenant.Write(t, func(tx uow.Tx) error {
		for _, f := range files {
			if err := repo.Insert(t.Context(), tx, f); err != nil {
				return err
			}
		}
		return nil
	})
}

func get(t testing.TB, tenant pgtest.Fixture, fileID uuid.UUID) (f domain.File, err error) {
	t.Helper()
	tenant.Read(t, func(tx uow.Tx) error {
		f, err = repo.Get(t.Context(), tx, fileID)
		return nil
	})
	return f, err
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	tenant, ids := pgtest.Tenant(t), id.NewSequence(1)
	f := declare(t, ids.New(), "räport.txt", now)
	insert(t, tenant, f)
	if got, err := get(t, tenant, f.ID); err != nil || !reflect.DeepEqual(got, f) {
		t.Fatalf("got %+v, %v\nwant %+v", got, err, f)
	}
	sum := sha256.Sum256([]byte("hello"))
	filled, err := f.Fill(domain.Content{Size: 5, ContentType: "image/png", SHA256: sum[:]}, ids.New(), now.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	tenant.Write(t, func(tx uow.Tx) error {
		var err error
		filled, err = repo.Update(t.Context(), tx, filled)
		return err
	})
	if got, err := get(t, tenant, f.ID); err != nil || got.Version != 2 || !reflect.DeepEqual(got, filled) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, filled)
	}
}

func TestMissingAndStale(t *testing.T) {
	t.Parallel()
	tenant, ids := pgtest.Tenant(t), id.NewSequence(2)
	f := declare(t, ids.New(), "a", now)
	insert(t, tenant, f)
	stale, missing := f, f
	stale.Version, missing.ID = 7, ids.New()
	update := func(ctx context.Context, tx uow.Tx, f domain.File) error {
		_, err := repo.Update(ctx, tx, f)
		return err
	}
	for _, tc := range []struct {
		name string
		do   func(context.Context, uow.Tx, domain.File) error
		file domain.File
		want error
	}{
		{"update of a stale version", update, stale, errs.ErrPreconditionFailed},
		{"update of nothing", update, missing, domain.ErrNotFound},
		{"delete of a stale version", repo.Delete, stale, errs.ErrPreconditionFailed},
		{"delete of nothing", repo.Delete, missing, domain.ErrNotFound},
		{"lock of nothing", func(ctx context.Context, tx uow.Tx, f domain.File) error {
			_, err := repo.Lock(ctx, tx, f.ID)
			return err
		}, missing, domain.ErrNotFound},
	} {
		err := tenant.Unit().Write(t.Context(), func(tx uow.Tx) error { return tc.do(t.Context(), tx, tc.file) })
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if got, err := get(t, tenant, f.ID); err != nil || !reflect.DeepEqual(got, f) {
		t.Errorf("changed by failures: %+v, %v", got, err)
	}
	tenant.Write(t, func(tx uow.Tx) error { return repo.Delete(t.Context(), tx, f) })
	if _, err := get(t, tenant, f.ID); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("after its deletion: %v", err)
	}
}

func TestReadyWithoutContentIsImpossible(t *testing.T) {
	t.Parallel()
	tenant := pgtest.Tenant(t)
	f := declare(t, id.NewSequence(3).New(), "a", now)
	f.Status = domain.Ready
	err := tenant.Unit().Write(t.Context(), func(tx uow.Tx) error { return repo.Insert(t.Context(), tx, f) })
	if err == nil {
		t.Error("a file is ready without bytes")
	}
}

// TestListAgainstItsRule pages through random files with random filters and
// page sizes, and compares with the same list made in Go.
func TestListAgainstItsRule(t *testing.T) {
	t.Parallel()
	tenant, ids := pgtest.Tenant(t), id.NewSequence(4)
	var all []domain.File
	names := []string{"a", "ab", "abc", "Ab", "b%", "b_", `b"`, "ä", "ab.txt"}
	statuses := []domain.Status{domain.Pending, domain.Scanning, domain.Quarantined, domain.Deleted}
	for i := range 60 {
		f := declare(t, ids.New(), names[i%len(names)], now.Add(time.Duration(i*7%13)*time.Microsecond)) // many share an instant
		f.Status = statuses[i*5%len(statuses)]
		all = append(all, f)
	}
	insert(t, tenant, all...)
	slices.SortFunc(all, func(a, b domain.File) int {
		if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
			return c
		}
		return slices.Compare(b.ID[:], a.ID[:])
	})
	rapid.Check(t, func(rt *rapid.T) {
		spec := domain.Spec{
			Status:     rapid.SampledFrom(append(statuses, "", domain.Ready)).Draw(rt, "status"),
			NamePrefix: rapid.SampledFrom([]string{"", "a", "ab", "A", "b%", "b_", "%", "_", "ä", "zzz", `\`}).Draw(rt, "prefix"),
		}
		limit := rapid.IntRange(1, 70).Draw(rt, "limit")
		want := slices.DeleteFunc(slices.Clone(all), func(f domain.File) bool { return !spec.Matches(f) })
		got := everyPage(t, tenant, spec, limit)
		if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			rt.Fatalf("%+v by %d: %d files, want %d", spec, limit, len(got), len(want))
		}
	})
}

func everyPage(t *testing.T, tenant pgtest.Fixture, spec domain.Spec, limit int) []domain.File {
	t.Helper()
	var got []domain.File
	for r := (page.Request{Limit: limit}); ; {
		var p page.Page[domain.File]
		tenant.Read(t, func(tx uow.Tx) (err error) {
			p, err = repo.List(t.Context(), tx, spec, r)
			return err
		})
		if len(p.Items) > limit {
			t.Fatalf("%d items on a page of %d", len(p.Items), limit)
		}
		got = append(got, p.Items...)
		if p.Next == nil {
			return got
		}
		r.After = p.Next
	}
}
