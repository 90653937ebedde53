package catalog_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg/catalog"
	"github.com/insulahq/insula/platform/pgtest"
)

// house builds testdata/house.sql in a schema.
func house(t *testing.T, conn *pgx.Conn, schema string) {
	t.Helper()
	text, err := os.ReadFile("testdata/house.sql")
	if err != nil {
		t.Fatal(err)
	}
	exec(t, conn, "CREATE SCHEMA "+schema)
	exec(t, conn, "SET search_path = "+schema)
	exec(t, conn, string(text))
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// changed reads the house as it would be after a change.
func changed(t *testing.T, conn *pgx.Conn, change string) catalog.Catalog {
	t.Helper()
	defer exec(t, conn, "ROLLBACK")
	exec(t, conn, "BEGIN; SET LOCAL search_path = house; "+change)
	return read(t, conn, "house")
}

func read(t *testing.T, db catalog.Beginner, schema string) catalog.Catalog {
	t.Helper()
	c, err := catalog.Read(context.Background(), db, schema)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTwoSchemasOfOneShapeAreEqual(t *testing.T) {
	conn := pgtest.Empty(t)
	house(t, conn, "t_a")
	house(t, conn, `"T b"`)
	exec(t, conn, "RESET search_path")
	a, b := read(t, conn, "t_a"), read(t, conn, "T b")
	if d := catalog.Diff(a, b); len(d) > 0 {
		t.Errorf("differences:\n%s", strings.Join(d, "\n"))
	}
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("fingerprints differ")
	}
	for _, o := range a {
		if strings.Contains(o.String(), "t_a.") || strings.Contains(o.String(), "\n") {
			t.Errorf("not normalised: %s", o)
		}
	}
}

// Every kind of change must show, above all those that Atlas does not see.
func TestEveryChangeShows(t *testing.T) {
	changes := map[string]string{
		"column added":        "ALTER TABLE rooms ADD COLUMN color text",
		"column type":         "ALTER TABLE rooms ALTER COLUMN name TYPE varchar(9)",
		"not null":            "ALTER TABLE rooms ALTER COLUMN floor DROP NOT NULL",
		"default":             "ALTER TABLE rooms ALTER COLUMN floor SET DEFAULT 2",
		"storage":             "ALTER TABLE rooms ALTER COLUMN name SET STORAGE external",
		"statistics target":   "ALTER TABLE rooms ALTER COLUMN name SET STATISTICS 7",
		"check":               "ALTER TABLE rooms DROP CONSTRAINT rooms_floor_check",
		"not valid":           "ALTER TABLE keys DROP CONSTRAINT keys_room_fkey; ALTER TABLE keys ADD CONSTRAINT keys_room_fkey FOREIGN KEY (room) REFERENCES rooms (id) NOT VALID",
		"deferrable":          "ALTER TABLE keys ALTER CONSTRAINT keys_room_fkey DEFERRABLE",
		"index":               "DROP INDEX rooms_name_idx",
		"index option":        "ALTER INDEX rooms_name_idx SET (fillfactor = 50)",
		"view":                "CREATE OR REPLACE VIEW attic AS SELECT id FROM rooms WHERE floor > 6",
		"materialized view":   "DROP MATERIALIZED VIEW counted",
		"function":            "CREATE OR REPLACE FUNCTION height(f integer) RETURNS integer LANGUAGE sql AS 'SELECT f * 4'",
		"trigger":             "ALTER TABLE rooms DISABLE TRIGGER rooms_touch",
		"rule":                "DROP RULE keys_keep ON keys",
		"policy":              "ALTER POLICY rooms_visible ON rooms USING (floor > 1)",
		"row security":        "ALTER TABLE rooms DISABLE ROW LEVEL SECURITY",
		"row security forced": "ALTER TABLE rooms NO FORCE ROW LEVEL SECURITY",
		"sequence":            "ALTER SEQUENCE doors INCREMENT 2",
		"identity":            "ALTER TABLE keys ALTER COLUMN number DROP IDENTITY",
		"statistics":          "DROP STATISTICS rooms_stats",
		"enum":                "ALTER TYPE side ADD VALUE 'east'",
		"domain":              "ALTER DOMAIN storey DROP CONSTRAINT storey_check",
		"composite":           "ALTER TYPE spot ADD ATTRIBUTE z integer",
		"partition":           "CREATE TABLE visits_2001 PARTITION OF visits FOR VALUES FROM ('2001-01-01') TO ('2002-01-01')",
		"table comment":       "COMMENT ON TABLE rooms IS 'other'",
		"column comment":      "COMMENT ON COLUMN rooms.floor IS NULL",
		"constraint comment":  "COMMENT ON CONSTRAINT rooms_pkey ON rooms IS 'other'",
		"function comment":    "COMMENT ON FUNCTION height(integer) IS 'other'",
		"unlogged":            "ALTER TABLE visits_2000 SET UNLOGGED",
		"replica identity":    "ALTER TABLE rooms REPLICA IDENTITY FULL",
		"storage parameter":   "ALTER TABLE rooms SET (fillfactor = 80)",
	}
	conn := pgtest.Empty(t)
	house(t, conn, "house")
	before := read(t, conn, "house")
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			after := changed(t, conn, change)
			if before.Fingerprint() == after.Fingerprint() {
				t.Error("the fingerprint did not change")
			}
			if len(catalog.Diff(before, after)) == 0 {
				t.Error("no difference is named")
			}
		})
	}
	if after := read(t, conn, "house"); before.Fingerprint() != after.Fingerprint() {
		t.Error("the fingerprint is not stable")
	}
}

func TestWhatDoesNotCount(t *testing.T) {
	changes := map[string]string{
		"history":         "CREATE TABLE atlas_schema_revisions (version text CONSTRAINT atlas_schema_revisions_pkey PRIMARY KEY)",
		"rows":            "INSERT INTO rooms (id, name, floor) VALUES ('00000000-0000-7000-8000-000000000001', 'x', 1)",
		"privileges":      "GRANT SELECT ON rooms TO PUBLIC",
		"order of column": "ALTER TABLE keys ADD COLUMN n2 integer NOT NULL GENERATED ALWAYS AS IDENTITY; ALTER TABLE keys DROP COLUMN number; ALTER TABLE keys RENAME n2 TO number; ALTER SEQUENCE keys_n2_seq RENAME TO keys_number_seq",
	}
	conn := pgtest.Empty(t)
	house(t, conn, "house")
	before := read(t, conn, "house")
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			after := changed(t, conn, change)
			if d := catalog.Diff(before, after); len(d) > 0 {
				t.Errorf("differences:\n%s", strings.Join(d, "\n"))
			}
		})
	}
}

func TestReadLeavesTheTransactionAsItWas(t *testing.T) {
	ctx := context.Background()
	conn := pgtest.Empty(t)
	house(t, conn, "house")
	tx, err := conn.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "SET LOCAL search_path = house"); err != nil {
		t.Fatal(err)
	}
	if _, err := catalog.Read(ctx, tx, "absent"); !errors.Is(err, catalog.ErrNoSchema) {
		t.Errorf("absent schema: %v", err)
	}
	inside := read(t, tx, "house")
	var path string
	if err := tx.QueryRow(ctx, "SHOW search_path").Scan(&path); err != nil || path != "house" {
		t.Errorf("search_path is %q, %v", path, err)
	}
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	if outside := read(t, conn, "house"); inside.Fingerprint() != outside.Fingerprint() {
		t.Error("the listing depends on the caller's search path")
	}
}

func TestDiffNamesWhatDrifted(t *testing.T) {
	want := catalog.Catalog{{"table", "a", ""}, {"column", "a.x", "text"}, {"index", "i", "btree"}}
	got := catalog.Catalog{{"table", "a", ""}, {"column", "a.x", "integer"}, {"view", "v", "SELECT 1"}}
	lines := catalog.Diff(want, got)
	expected := []string{`differs: column a.x: want "text", got "integer"`, "missing: index i btree", "unexpected: view v SELECT 1"}
	if !slices.Equal(lines, expected) {
		t.Errorf("got %q", lines)
	}
	if d := catalog.Diff(want, want); d != nil {
		t.Errorf("equal catalogs differ: %q", d)
	}
}
