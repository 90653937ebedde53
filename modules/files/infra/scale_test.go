package infra_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra/internal/filesdb"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

// many is how many files the tests of scale work on: few, unless somebody
// wants figures, as docs/performance.md says.
var many = flag.Int("files", 5000, "files that the tests of scale make")

// fill makes files of a thousand people, in two thousand folders of two
// levels, of twenty types and all sizes; one in fifty is an earlier version,
// one in a hundred deleted, one in a thousand quarantined. A name in a
// thousand begins in a way of its own, and so does one in a hundred thousand.
const fill = `INSERT INTO files (id, line_id, folder, name, size, content_type, sha256, status, reason, object_id, metadata, owner_id,
	version, created_at, updated_at, superseded_at, deleted_at)
SELECT gen_random_uuid(), gen_random_uuid(), 'team ' || n % 200 || '/' || CASE WHEN n % 3 = 0 THEN '' ELSE n / 200 % 10 || '/' END,
	CASE WHEN n % 100000 = 7 THEN 'unique' WHEN n % 1000 = 7 THEN 'rare' ELSE 'report' END || '-' || n || '.pdf',
	((n::bigint * 7919) % 1000003) * (n % 1000 + 1), (ARRAY['image','text','video','application'])[1 + n / 7 % 4] || '/' || (ARRAY['a','b','c','d','e'])[1 + n / 28 % 5],
	'\x00', CASE WHEN n % 1000 = 1 THEN 'quarantined' WHEN n % 100 = 2 THEN 'deleted' ELSE 'ready' END, '', gen_random_uuid(), '{}',
	('00000000-0000-7000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid, 1,
	'2026-01-01'::timestamptz + n * interval '1 second', '2026-01-01'::timestamptz + n * interval '1 second',
	CASE WHEN n % 50 = 3 THEN '2026-12-01'::timestamptz END, CASE WHEN n % 100 = 2 AND n % 1000 <> 1 THEN '2026-12-01'::timestamptz END
FROM generate_series(1, $1::int) n`

// searches are what people look for: the common and the rare of each filter.
func searches(n int) map[string]domain.Spec {
	owner := uuid.MustParse("00000000-0000-7000-8000-000000000007")
	middle := time.Date(2026, 1, 1, 0, 0, n/2, 0, time.UTC)
	folder, root, small := "team 7/", "", "team 8/3/"
	all := map[string]domain.Spec{
		"newest":               {},
		"ready":                {Status: domain.Ready},
		"quarantined":          {Status: domain.Quarantined},
		"deleted":              {Status: domain.Deleted},
		"deleted, rare name":   {Status: domain.Deleted, NamePrefix: "report-102."},
		"folder":               {Folder: &folder},
		"folder, small":        {Folder: &small},
		"folder, empty":        {Folder: &root},
		"folder and name":      {Folder: &folder, NamePrefix: "rare"},
		"below":                {Below: "team 7/"},
		"below, nothing":       {Below: "nowhere/"},
		"below and type":       {Below: "team 7/", TypePrefix: "video/"},
		"name":                 {NamePrefix: "report"},
		"name, rare":           {NamePrefix: "rare"},
		"name, unique":         {NamePrefix: "unique"},
		"name, nothing":        {NamePrefix: "zzz"},
		"name, rare, and type": {NamePrefix: "rare", TypePrefix: "video/"},
		"type":                 {TypePrefix: "image/a"},
		"type, five of them":   {TypePrefix: "image/"},
		"type, nothing":        {TypePrefix: "audio/"},
		"owner":                {OwnerID: owner},
		"owner and type":       {OwnerID: owner, TypePrefix: "video/"},
		"size, largest":        {MinSize: 500_000_000},
		"size, between":        {MinSize: 1000, MaxSize: 2000},
		"size, nothing":        {MinSize: 1 << 50},
		"time":                 {From: middle, To: middle.Add(time.Hour)},
		"time and owner":       {OwnerID: owner, From: middle, To: middle.Add(24 * time.Hour)},
	}
	for name, spec := range all {
		whole := domain.AnySpec()
		if spec.MaxSize == 0 {
			spec.MaxSize = whole.MaxSize
		}
		if spec.To.IsZero() {
			spec.To = whole.To
		}
		all[name] = spec
	}
	return all
}

func crowded(t testing.TB) pgtest.Fixture {
	f := pgtest.Tenant(t)
	f.BehindTheWall(t, fill, *many)
	f.BehindTheWall(t, "ANALYZE files")
	return f
}

// TestSearchesAmongManyFiles checks that every statement of a search is led by
// an index, and that the first page of each search has only what matches; it
// logs how long that page takes.
func TestSearchesAmongManyFiles(t *testing.T) {
	f := crowded(t)
	f.Indexed(t, map[string]string{
		"ListFiles": filesdb.ListFiles, "ListFilesByPath": filesdb.ListFilesByPath, "ListFilesByName": filesdb.ListFilesByName,
		"ListFilesByOwner": filesdb.ListFilesByOwner, "ListFilesBySize": filesdb.ListFilesBySize, "ListFilesByStatus": filesdb.ListFilesByStatus,
		"ListFilesByTypes": filesdb.ListFilesByTypes, "FileTypes": filesdb.FileTypes, "ListFolders": filesdb.ListFolders,
		"LockCurrentFile": filesdb.LockCurrentFile,
	}, nil)
	all := searches(*many)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		spec := all[name]
		measure(t, f, name, func(tx uow.Tx) (int, error) {
			found, err := repo.List(t.Context(), tx, spec, page.Request{Limit: 50})
			for _, one := range found.Items {
				if !spec.Matches(one) {
					return 0, fmt.Errorf("found %+v", one)
				}
			}
			return len(found.Items), err
		})
	}
	for _, parent := range []string{"", "team 7/", "team 7/3/"} {
		measure(t, f, fmt.Sprintf("folders inside %q", parent), func(tx uow.Tx) (int, error) {
			found, err := repo.Folders(t.Context(), tx, parent, page.Request{Limit: 50})
			return len(found.Items), err
		})
	}
}

// measure reads a page a hundred times.
func measure(t *testing.T, f pgtest.Fixture, name string, list func(uow.Tx) (int, error)) {
	t.Helper()
	var took []time.Duration
	items := 0
	for range 100 {
		start := time.Now()
		f.Read(t, func(tx uow.Tx) (err error) {
			items, err = list(tx)
			return err
		})
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	t.Logf("%-22s %3d files  p50 %8s  p99 %8s", name, items, took[50].Round(10*time.Microsecond), took[98].Round(10*time.Microsecond))
}

// BenchmarkBringing declares a file and gives it its content, as the statements
// do that an upload runs: with all indexes, and without those that searches
// alone need.
func BenchmarkBringing(b *testing.B) {
	f, ids := crowded(b), id.System{}
	sum := sha256.Sum256(nil)
	bring := func(b *testing.B) {
		for b.Loop() {
			f.Write(b, func(tx uow.Tx) error {
				pending := declare(b, ids.New(), ids.New().String(), time.Now())
				if err := repo.Insert(b.Context(), tx, pending); err != nil {
					return err
				}
				ready, err := pending.Fill(domain.Content{Size: 5, ContentType: "text/plain", SHA256: sum[:]}, ids.New(), time.Now())
				if err != nil {
					return err
				}
				_, err = repo.Update(b.Context(), tx, ready)
				return err
			})
		}
	}
	b.Run("with the indexes of searches", bring)
	f.BehindTheWall(b, "DROP INDEX files_path_idx, files_name_idx, files_owner_idx, files_type_idx, files_size_idx, files_status_idx")
	b.Run("without", bring)
}
