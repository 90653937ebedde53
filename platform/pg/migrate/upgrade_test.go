package migrate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg/migrate"
	"github.com/insulahq/insula/platform/pgtest"
)

const (
	index = "20260104000000_index.sql"
	last  = "20260105000000_last.sql"
	none  = "-- atlas:txmode none\n\n"
)

// indexed is files, then one outside a transaction, then an ordinary one.
func indexed(t *testing.T) fstest.MapFS {
	t.Helper()
	f := files(t)
	f[index] = &fstest.MapFile{Data: []byte(none + "CREATE UNIQUE INDEX CONCURRENTLY keys_room_key ON keys (room);\nCREATE INDEX CONCURRENTLY rooms_id_idx ON rooms (id);\n")}
	f[last] = &fstest.MapFile{Data: []byte("CREATE TABLE doors (id integer, CONSTRAINT doors_pkey PRIMARY KEY (id));\n")}
	return sum(t, f)
}

// upgrade runs Upgrade and returns what it applied and recorded.
func upgrade(conn *pgx.Conn, d *migrate.Dir) (applied, recorded []string, err error) {
	applied, err = d.Upgrade(context.Background(), conn, "house", func(_ pgx.Tx, version string) error {
		recorded = append(recorded, version)
		return nil
	})
	return applied, recorded, err
}

const validIndexes = "SELECT coalesce(string_agg(c.relname, ' ' ORDER BY c.relname), '') FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid " +
	"WHERE c.relnamespace = 'house'::regnamespace AND c.relname ~ '_(key|idx)$' AND indisvalid"

func TestUpgradeRunsConcurrentStepsOutsideATransaction(t *testing.T) {
	conn := pgtest.Empty(t)
	exec(t, conn, "CREATE SCHEMA house")
	d := load(t, indexed(t))
	applied, recorded, err := upgrade(conn, d)
	if err != nil || !slices.Equal(applied, d.Versions()) {
		t.Fatalf("applied %q, %v", applied, err)
	}
	if want := []string{"20260103000000", "20260105000000"}; !slices.Equal(recorded, want) {
		t.Errorf("recorded %q, want %q", recorded, want)
	}
	if got := value[string](t, conn, validIndexes); got != "keys_room_key rooms_id_idx" {
		t.Errorf("indexes are %q", got)
	}
	if path := value[string](t, conn, "SHOW search_path"); strings.Contains(path, "house") {
		t.Errorf("search_path stayed %q", path)
	}
	if n := value[int](t, conn, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"); n != 0 {
		t.Errorf("%d locks are left", n)
	}
	if applied, _, err := upgrade(conn, d); err != nil || len(applied) != 0 {
		t.Errorf("again applied %q, %v", applied, err)
	}
}

// A step that fails half-way leaves an invalid index; the next Upgrade replaces it.
func TestUpgradeGoesOnWhereItStopped(t *testing.T) {
	ctx := context.Background()
	broken := pgtest.Empty(t)
	exec(t, broken, "CREATE SCHEMA house")
	all := indexed(t)
	if _, _, err := upgrade(broken, load(t, files(t))); err != nil {
		t.Fatal(err)
	}
	exec(t, broken, "INSERT INTO house.keys VALUES (1), (1)")
	applied, recorded, err := upgrade(broken, load(t, all))
	if err == nil || !strings.Contains(err.Error(), index+", line 3") {
		t.Fatalf("the error is %v", err)
	}
	if len(applied) != 0 || !slices.Equal(recorded, []string{"20260103000000"}) || !broken.IsClosed() {
		t.Errorf("applied %q, recorded %q, connection closed: %v", applied, recorded, broken.IsClosed())
	}

	conn, err := pgx.ConnectConfig(ctx, broken.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if value[bool](t, conn, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'house.keys_room_key'::regclass") {
		t.Fatal("the test left a valid index")
	}
	status, err := load(t, all).Status(ctx, conn, "house")
	if err != nil || status.Current != "20260103000000" || len(status.Pending) != 2 {
		t.Errorf("status is %+v, %v", status, err)
	}
	exec(t, conn, "DELETE FROM house.keys")
	// The second index was built by a process that was killed before it could say so.
	exec(t, conn, "CREATE INDEX CONCURRENTLY rooms_id_idx ON house.rooms (id)")
	if applied, _, err := upgrade(conn, load(t, all)); err != nil || !slices.Equal(applied, []string{"20260104000000", "20260105000000"}) {
		t.Fatalf("applied %q, %v", applied, err)
	}
	if got := value[string](t, conn, validIndexes); got != "keys_room_key rooms_id_idx" {
		t.Errorf("indexes are %q", got)
	}
}

// A migration that failed before it did anything is corrected, not carried along for ever.
func TestAFileThatDidNothingMayBeEdited(t *testing.T) {
	conn := pgtest.Empty(t)
	exec(t, conn, "CREATE SCHEMA house")
	all := indexed(t)
	if _, _, err := upgrade(conn, load(t, files(t))); err != nil {
		t.Fatal(err)
	}
	wrong := fstest.MapFS{}
	for name, f := range all {
		wrong[name] = f
	}
	wrong[index] = &fstest.MapFile{Data: []byte(none + "CREATE INDEX CONCURRENTLY rooms_x_idx ON rooms (x);\n")}
	if _, _, err := upgrade(conn, load(t, sum(t, wrong))); err == nil {
		t.Fatal("an index on nothing was built")
	}
	conn, err := pgx.ConnectConfig(t.Context(), conn.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, _, err := upgrade(conn, load(t, indexed(t))); err != nil {
		t.Fatal(err)
	}
	exec(t, conn, "UPDATE house.atlas_schema_revisions SET hash = 'other' WHERE version = '20260104000000'")
	if _, _, err := upgrade(conn, load(t, all)); !errors.Is(err, migrate.ErrEdited) {
		t.Errorf("an edited migration that ran gives %v", err)
	}
}

func TestApplyBuildsIndexesAtOnce(t *testing.T) {
	conn := pgtest.Empty(t)
	d := load(t, indexed(t))
	if applied, err := apply(t, conn, d, "house"); err != nil || !slices.Equal(applied, d.Versions()) {
		t.Fatalf("applied %q, %v", applied, err)
	}
	if got := value[string](t, conn, validIndexes); got != "keys_room_key rooms_id_idx" {
		t.Errorf("indexes are %q", got)
	}
}

func TestUntil(t *testing.T) {
	d := load(t, files(t))
	for version, want := range map[string]string{"": "", "20260102000000": "20260102000000", d.Version(): d.Version()} {
		if part, ok := d.Until(version); !ok || part.Version() != want {
			t.Errorf("until %q: %q, %v", version, part.Version(), ok)
		}
	}
	if _, ok := d.Until("20260102000001"); ok {
		t.Error("an unknown version was found")
	}
	if d.Previous() != "20260102000000" || load(t, fstest.MapFS{}).Previous() != "" {
		t.Errorf("previous is %q", d.Previous())
	}
}
