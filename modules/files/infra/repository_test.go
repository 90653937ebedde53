package infra_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
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
	f, _, err := domain.Declare(fileID, uuid.Max, uuid.Max, domain.Declaration{Name: name, Size: 5, ContentType: "text/plain"}, domain.Policy{MaxBytes: 100}, at)
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
	f.Status, f.Object = domain.Ready, uuid.Max
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
	owners := []uuid.UUID{ids.New(), ids.New()}
	var all []domain.File
	for i := range 120 {
		all = append(all, variety(t, ids, i, owners))
	}
	insert(t, tenant, all...)
	rapid.Check(t, func(rt *rapid.T) {
		spec := drawSpec(rt, owners)
		limit := rapid.IntRange(1, 130).Draw(rt, "limit")
		want := slices.DeleteFunc(slices.Clone(all), func(f domain.File) bool { return !spec.Matches(f) })
		slices.SortFunc(want, orders[spec.Order()])
		got := everyPage(t, tenant, spec, limit)
		if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			rt.Fatalf("%+v by %d: %d files, want %d", spec, limit, len(got), len(want))
		}
	})
}

var (
	names    = []string{"a", "ab", "abc", "Ab", "b%", "b_", `b"`, "ä", "ab.txt", "a\U0010FFFF", "a\uD7FFx", "a\uE000"}
	folders  = []string{"", "a/", "a/b/", "ab/", "a%/", "a/b/c/", "a b/", "a0/"}
	types    = []string{"text/plain", "image/png", "text/html; charset=utf-8"}
	statuses = []domain.Status{domain.Pending, domain.Scanning, domain.Quarantined, domain.Deleted, domain.Ready}
)

// variety is the i-th of many files that have something in common.
func variety(t *testing.T, ids id.Source, i int, owners []uuid.UUID) domain.File {
	f := declare(t, ids.New(), names[i%len(names)], now.Add(time.Duration(i*7%13)*time.Microsecond)) // many share an instant
	f.Status, f.Folder, f.ContentType = statuses[i*7%11%len(statuses)], folders[i*3%len(folders)], types[i%len(types)]
	f.OwnerID, f.Size = owners[i%2], int64(i%4)
	if f.Status != domain.Pending {
		f.Object, f.SHA256 = ids.New(), []byte("sum")
	}
	if f.Status == domain.Deleted {
		f.DeletedAt = now
	}
	if i%6 == 0 || f.Status == domain.Ready && i > 2*len(names) { // names are unique among those that are ready
		f.Superseded = now
	}
	return f
}

// orders are those of the lists.
var orders = map[domain.Order]func(a, b domain.File) int{
	domain.Newest: func(a, b domain.File) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), bytes.Compare(b.ID[:], a.ID[:]))
	},
	domain.ByPath: func(a, b domain.File) int {
		return cmp.Or(strings.Compare(a.Folder, b.Folder), strings.Compare(a.Name, b.Name), bytes.Compare(a.ID[:], b.ID[:]))
	},
	domain.ByName: func(a, b domain.File) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), bytes.Compare(a.ID[:], b.ID[:]))
	},
	domain.BySize: func(a, b domain.File) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), bytes.Compare(b.ID[:], a.ID[:]))
	},
}

func drawSpec(rt *rapid.T, owners []uuid.UUID) domain.Spec {
	spec := domain.AnySpec()
	spec.Status = rapid.SampledFrom(append(statuses, "", "")).Draw(rt, "status")
	spec.NamePrefix = rapid.SampledFrom([]string{"", "", "", "a", "ab", "A", "b%", "b_", "%", "_", "ä", "zzz", `\`, "a\U0010FFFF", "a\uD7FF", "\U0010FFFF", "a/b"}).Draw(rt, "name")
	spec.TypePrefix = rapid.SampledFrom([]string{"", "", "text/", "image/png", "text/html", "%"}).Draw(rt, "type")
	spec.OwnerID = rapid.SampledFrom(append(owners, uuid.Nil)).Draw(rt, "owner")
	spec.Below = rapid.SampledFrom([]string{"", "", "a/", "a/b/", "a%/", "z/"}).Draw(rt, "below")
	if folder := rapid.SampledFrom([]string{"*", "*", "", "a/", "a/b/", "z/"}).Draw(rt, "folder"); folder != "*" {
		spec.Folder = &folder
		if rapid.Bool().Draw(rt, "without below") {
			spec.Below = ""
		}
	}
	spec.MinSize = rapid.SampledFrom([]int64{0, 0, 1, 2}).Draw(rt, "min")
	spec.MaxSize = rapid.SampledFrom([]int64{1, 3, math.MaxInt64, math.MaxInt64}).Draw(rt, "max")
	if rapid.Bool().Draw(rt, "span") {
		spec.From = now.Add(3 * time.Microsecond)
		spec.To = now.Add(time.Duration(rapid.IntRange(1, 14).Draw(rt, "to")) * time.Microsecond)
	}
	clean, err := spec.Clean()
	if err != nil { // a folder that is not below the other
		spec.Below = ""
		return spec
	}
	return clean
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

// TestFoldersAgainstTheirRule pages through the folders inside random ones, and
// compares with what the paths of all files show.
func TestFoldersAgainstTheirRule(t *testing.T) {
	t.Parallel()
	tenant, ids := pgtest.Tenant(t), id.NewSequence(5)
	var all []domain.File
	for i := range 60 {
		all = append(all, variety(t, ids, i, []uuid.UUID{ids.New(), ids.New()}))
	}
	insert(t, tenant, all...)
	for _, parent := range append([]string{"z/"}, folders...) {
		var want []string
		for _, f := range all {
			rest, below := strings.CutPrefix(f.Folder, parent)
			name, _, inside := strings.Cut(rest, "/")
			if path := parent + name + "/"; below && inside && !f.Earlier() && f.Status != domain.Deleted && !slices.Contains(want, path) {
				want = append(want, path)
			}
		}
		slices.Sort(want)
		for limit := range 4 {
			if got := everyFolder(t, tenant, parent, limit+1); !slices.Equal(got, want) {
				t.Errorf("inside %q by %d: %q, want %q", parent, limit+1, got, want)
			}
		}
	}
}

func everyFolder(t *testing.T, tenant pgtest.Fixture, parent string, limit int) (all []string) {
	t.Helper()
	for r := (page.Request{Limit: limit}); ; {
		var p page.Page[string]
		tenant.Read(t, func(tx uow.Tx) (err error) {
			p, err = repo.Folders(t.Context(), tx, parent, r)
			return err
		})
		all = append(all, p.Items...)
		if p.Next == nil {
			return all
		}
		r.After = p.Next
	}
}

// TestFilesOfManyTypes lists by a beginning of types while there are as many as
// are walked side by side, and once there is one more.
func TestFilesOfManyTypes(t *testing.T) {
	t.Parallel()
	tenant, ids := pgtest.Tenant(t), id.NewSequence(6)
	spec := domain.AnySpec()
	spec.TypePrefix = "many/"
	other := declare(t, ids.New(), "other", now)
	insert(t, tenant, other)
	var all []domain.File
	for _, types := range []int{200, 201} {
		for len(all) < types {
			f := declare(t, ids.New(), "a", now.Add(time.Duration(len(all))*time.Second))
			f.ContentType = fmt.Sprintf("many/%d", len(all))
			insert(t, tenant, f)
			all = append(all, f)
		}
		want := slices.Clone(all)
		slices.Reverse(want) // the newest first
		if got := everyPage(t, tenant, spec, 70); !reflect.DeepEqual(got, want) {
			t.Errorf("of %d types: %d files, want %d in their order", types, len(got), len(want))
		}
	}
}
