package main

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pgtest"
)

func TestCheckPassesWhenTheMigrationsBuildTheSchema(t *testing.T) {
	out := migratedTree(t).ok("check")
	for _, s := range []string{"control: the migrations build", "tenant: the migrations build"} {
		if !strings.Contains(out, s) {
			t.Errorf("%q is not in:\n%s", s, out)
		}
	}
}

func TestCheckNamesWhatNoMigrationDoes(t *testing.T) {
	const tenantFile, controlFile = "schema/tenant/rooms.sql", "schema/control/houses.sql"
	cases := []struct {
		file, change string
		says         []string
	}{
		{tenantFile, "ALTER TABLE rooms ADD COLUMN color text;\n",
			[]string{`tenant: no migration does: ALTER TABLE "rooms"`, `ADD COLUMN "color" text NULL`}},
		{controlFile, "CREATE TABLE control.streets (id uuid, CONSTRAINT streets_pkey PRIMARY KEY (id));\n",
			[]string{`control: no migration does: CREATE TABLE "control"."streets"`}},
		{tenantFile, "ALTER TABLE rooms ADD CONSTRAINT rooms_name_check CHECK (name <> '');\n", []string{"rooms_name_check"}},
		// What Atlas does not see or loses:
		{tenantFile, "CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1';\n", []string{"tenant: missing: function one()"}},
		{controlFile, "CREATE VIEW control.v AS SELECT id FROM control.houses;\n", []string{"control: missing: view v"}},
		{tenantFile, "ALTER TABLE rooms ENABLE ROW LEVEL SECURITY;\nCREATE POLICY rooms_all ON rooms USING (floor > 1);\n",
			[]string{"missing: policy rooms.rooms_all", "differs: table rooms"}},
		{tenantFile, "CREATE STATISTICS rooms_stats ON name, floor FROM rooms;\n", []string{"missing: statistics rooms_stats"}},
		{tenantFile, "CREATE TABLE k (r uuid, CONSTRAINT k_pkey PRIMARY KEY (r), CONSTRAINT k_r_fkey FOREIGN KEY (r) REFERENCES rooms (id) DEFERRABLE);\n",
			[]string{`no migration does: CREATE TABLE "k"`, `differs: constraint k.k_r_fkey`}},
	}
	tr := migratedTree(t)
	var says []string
	for _, c := range cases {
		tr.add(c.file, c.change)
		says = append(says, c.says...)
	}
	tr.fails(says, "check")
}

func TestCheckRefusesAnEditedMigration(t *testing.T) {
	tr := migratedTree(t)
	tr.add("sql/migrations/tenant/20260101000000_init.sql", "SELECT 1;\n")
	tr.fails([]string{"sql/migrations/tenant", "20260101000000_init.sql was edited", "schema hash"}, "check")
	tr.ok("hash")
	tr.ok("check")
}

func TestCheckSaysWhereAFileIsWrong(t *testing.T) {
	tr := migratedTree(t)
	tr.add("schema/tenant/zoo.sql", "-- animals\n\nCREATE TABLE animals (id nonsense);\n")
	tr.fails([]string{"schema/tenant/zoo.sql:3", "nonsense"}, "check")

	stray := migratedTree(t)
	stray.add("schema/control/houses.sql", "CREATE TABLE stray (id uuid);\n")
	stray.fails([]string{"no schema has been selected"}, "check")
}

func TestCheckKeepsTheRules(t *testing.T) {
	long := strings.Repeat("x", 51)
	cases := []struct{ change, says string }{
		{"CREATE TABLE ta (id uuid);", "table ta has no primary key"},
		{"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;\n" +
			"CREATE TRIGGER a_touch BEFORE UPDATE ON rooms FOR EACH ROW EXECUTE FUNCTION f();", "has a trigger, a_touch"},
		{"CREATE SEQUENCE s;", "there is a sequence, s"},
		{"CREATE TABLE tb (id bigint GENERATED ALWAYS AS IDENTITY, CONSTRAINT tb_pkey PRIMARY KEY (id));", "there is a sequence, tb_id_seq"},
		{"CREATE RULE r AS ON DELETE TO rooms DO INSTEAD NOTHING;", "has a rule, r"},
		{"CREATE TABLE tc (CONSTRAINT tc_pkey PRIMARY KEY (id)) INHERITS (rooms);", "table tc inherits"},
		{"CREATE TABLE td (id uuid, CONSTRAINT td_pkey PRIMARY KEY (id), CONSTRAINT td_fk FOREIGN KEY (id) REFERENCES control.houses (id));", "foreign key td_fk leaves the schema"},
		{"ALTER TABLE rooms ADD CONSTRAINT " + long + " CHECK (floor < 9);", "constraint " + long + " has a name of more than 50"},
		{"CREATE INDEX " + long + " ON rooms (floor);", "index " + long + " has a name of more than 50"},
		{"CREATE TABLE te (id uuid, CONSTRAINT te_pkey PRIMARY KEY (id), CONSTRAINT rooms_floor_check CHECK (id IS NOT NULL));", "rooms_floor_check is used by rooms, te"},
		{"CREATE TABLE tf (id uuid PRIMARY KEY);", "a constraint (PRIMARY KEY) has no name"},
	}
	tr := migratedTree(t)
	var says []string
	for _, c := range cases {
		tr.add("schema/tenant/rooms.sql", c.change+"\n")
		says = append(says, c.says)
	}
	tr.fails(says, "check")
}

func TestUnnamed(t *testing.T) {
	cases := []struct {
		sql  string
		want int
	}{
		{"CREATE TABLE a (id uuid, CONSTRAINT a_pkey PRIMARY KEY (id))", 0},
		{"CREATE TABLE a (id uuid CONSTRAINT a_pkey PRIMARY KEY, b uuid CONSTRAINT a_fk REFERENCES b (id))", 0},
		{"CREATE TABLE a (id uuid, CONSTRAINT a_fk FOREIGN KEY (id) REFERENCES b (id))", 0},
		{"CREATE TABLE a (id uuid, \"check\" text DEFAULT 'UNIQUE' /* CHECK */) -- UNIQUE", 0},
		{"ALTER TABLE a ADD CONSTRAINT a_k UNIQUE NULLS NOT DISTINCT (id)", 0},
		{"CREATE UNIQUE INDEX a_idx ON a (id)", 0},
		{"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$ SELECT 'CREATE TABLE a (id uuid UNIQUE)' $$", 0},
		{"CREATE TABLE a (id uuid PRIMARY KEY, b text UNIQUE, c text CHECK (c <> ''))", 3},
		{"CREATE TABLE a (id uuid REFERENCES b)", 1},
		{"CREATE TABLE a (id uuid, FOREIGN KEY (id) REFERENCES b (id), UNIQUE (id))", 2},
		{"ALTER TABLE a ADD CHECK (id > 1)", 1},
		{"ALTER TABLE a ADD EXCLUDE USING gist (r WITH &&)", 1},
		{"CREATE INDEX ON a (id)", 1},
		{"create unique index concurrently on a (id)", 1},
	}
	for _, c := range cases {
		if got := unnamed(c.sql); len(got) != c.want {
			t.Errorf("%s: found %q, want %d", c.sql, got, c.want)
		}
	}
}

func TestNoScratchDatabaseIsLeft(t *testing.T) {
	tr := migratedTree(t)
	tr.add("schema/tenant/rooms.sql", "CREATE TABLE a (id nonsense);\n")
	tr.fails(nil, "check")
	conn, err := pgx.Connect(t.Context(), pgtest.Server())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var n int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_database WHERE datname LIKE 'insula_schema_%'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	if n > 0 {
		t.Errorf("%d scratch databases are left", n)
	}
}
