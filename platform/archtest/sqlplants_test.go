package archtest_test

import (
	"strings"
	"testing"
	"testing/fstest"
)

// soundSQL breaks no rule.
var soundSQL = map[string]string{
	"schema/control/c.sql": "CREATE TABLE control.houses (id uuid, CONSTRAINT houses_pkey PRIMARY KEY (id));",
	"schema/tenant/t.sql": "CREATE TABLE rooms (id uuid, at timestamptz NOT NULL DEFAULT now(), CONSTRAINT rooms_pkey PRIMARY KEY (id));\n" +
		"CREATE TABLE keys (id uuid, room uuid, CONSTRAINT keys_pkey PRIMARY KEY (id),\n" +
		"  CONSTRAINT keys_room_fkey FOREIGN KEY (room) REFERENCES rooms (id));\nCREATE INDEX keys_room_idx ON keys (room);\n" +
		"CREATE VIEW attic AS SELECT id FROM rooms;",
	"sql/migrations/control/1.sql": "CREATE SCHEMA control;",
	"sql/migrations/tenant/1.sql":  "ALTER TABLE rooms ADD COLUMN floor integer NOT NULL DEFAULT 0, ADD COLUMN name text;\nALTER TABLE rooms ADD CONSTRAINT rooms_floor_check CHECK (floor < 9) NOT VALID;",
	"sql/queries/rooms/r.sql": "-- name: A :exec\nINSERT INTO rooms (id, at) VALUES (@id, @at::timestamptz) ON CONFLICT (id) DO UPDATE SET at = excluded.at;\n" +
		"-- name: B :many\nWITH r AS (SELECT id FROM rooms WHERE at < sqlc.narg('before')) SELECT keys.id FROM keys JOIN r ON r.id = keys.room;\n" +
		"-- name: C :exec\nUPDATE rooms SET at = @now WHERE id = ANY(@ids::uuid[]) AND CASE WHEN at IS NULL THEN true ELSE false END;",
	"sql/queries/pg/o.sql": "SELECT set_config('search_path', h.id::text, true) FROM control.houses h;",
}

// TestPlantedSQLIsFound plants one fault for each rule.
func TestPlantedSQLIsFound(t *testing.T) {
	const schema, migration, query = "schema/tenant/t.sql", "sql/migrations/tenant/1.sql", "sql/queries/rooms/r.sql"
	long := strings.Repeat("x", 51)
	for name, plant := range map[string]struct{ file, sql, says string }{
		"trigger":              {schema, "CREATE TRIGGER a BEFORE UPDATE ON rooms FOR EACH ROW EXECUTE FUNCTION f();", "a trigger"},
		"rule":                 {schema, "CREATE RULE r AS ON DELETE TO rooms DO INSTEAD NOTHING;", "a rule"},
		"inherits":             {schema, "CREATE TABLE a (CONSTRAINT a_pkey PRIMARY KEY (id)) INHERITS (rooms);", "INHERITS"},
		"sequence":             {schema, "CREATE SEQUENCE s;", "a sequence"},
		"identity":             {schema, "CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY, CONSTRAINT a_pkey PRIMARY KEY (id));", "an identity column"},
		"serial":               {schema, "CREATE TABLE a (id bigserial, CONSTRAINT a_pkey PRIMARY KEY (id));", "a serial column"},
		"foreign key":          {schema, "ALTER TABLE keys ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES control.houses (id);", "leaves the schema"},
		"nameless constraint":  {schema, "CREATE TABLE a (id uuid PRIMARY KEY);", "a constraint without a name"},
		"nameless check":       {schema, "ALTER TABLE rooms ADD CHECK (id IS NOT NULL);", "a constraint without a name"},
		"nameless index":       {schema, "CREATE INDEX ON rooms (at);", "an index without a name"},
		"long constraint":      {schema, "ALTER TABLE rooms ADD CONSTRAINT " + long + " CHECK (id IS NOT NULL);", "more than 50"},
		"long index":           {schema, "CREATE INDEX " + long + " ON rooms (at);", "more than 50"},
		"name twice":           {schema, "CREATE INDEX rooms_pkey ON keys (room);", "the name rooms_pkey is taken"},
		"no primary key":       {schema, "CREATE TABLE a (id uuid);", "table a has no primary key"},
		"constraint in column": {migration, "ALTER TABLE rooms ADD COLUMN c text CONSTRAINT c_check CHECK (c <> '');", "added with a column"},
		"constraint beside":    {migration, "ALTER TABLE rooms ADD COLUMN c text, ADD CONSTRAINT c_check CHECK (c <> '');", "added beside something else"},
		"SET":                  {migration, "SET work_mem = '1MB';", "SET without LOCAL"},
		"now in update":        {query, "UPDATE rooms SET at = now() WHERE id = @id;", "now() in UpdateStmt"},
		"random in delete":     {query, "DELETE FROM rooms WHERE random() < 0.5;", "random() in DeleteStmt"},
		"current_timestamp":    {query, "UPDATE rooms SET at = CURRENT_TIMESTAMP;", "SVFOP_CURRENT_TIMESTAMP in UpdateStmt"},
		"now in coalesce":      {query, "INSERT INTO rooms (at) VALUES (coalesce(@at, now()));", "now() in CoalesceExpr"},
		"now in case":          {query, "SELECT CASE WHEN at < now() THEN 1 END FROM rooms;", "now() in CaseExpr"},
		"now on conflict":      {query, "INSERT INTO rooms (id) VALUES (@id) ON CONFLICT (id) DO UPDATE SET at = now();", "now() in ON CONFLICT"},
		"cursor":               {query, "UPDATE rooms SET at = @at WHERE CURRENT OF c;", "CURRENT OF in UpdateStmt"},
		"changed in a CTE":     {query, "WITH x AS (DELETE FROM rooms WHERE at < now() RETURNING id) SELECT id FROM x;", "now() in DeleteStmt"},
		"sub-select":           {query, "INSERT INTO rooms (id) VALUES ((SELECT room FROM keys LIMIT 1));", "a sub-select in VALUES"},
		"merge":                {query, "MERGE INTO rooms r USING keys k ON r.id = k.room WHEN MATCHED THEN DELETE;", "MERGE"},
		"view":                 {query, "DELETE FROM attic WHERE id = @id;", "through the view attic"},
		"two schemas":          {query, "SELECT r.id FROM rooms r JOIN control.houses h ON h.id = r.id;", "more than one schema"},
		"two schemas written":  {query, "INSERT INTO control.houses (id) SELECT id FROM rooms;", "more than one schema"},
		"advisory lock":        {query, "SELECT pg_advisory_xact_lock(1);", "pg_advisory_xact_lock"},
		"listen":               {query, "LISTEN a;", "LISTEN"},
		"notify":               {query, "NOTIFY a;", "NOTIFY"},
		"pg_notify":            {query, "SELECT pg_notify('a', 'b');", "pg_notify"},
		"setting":              {query, "SELECT set_config('work_mem', '1MB', true);", "set_config"},
	} {
		t.Run(name, func(t *testing.T) {
			found := findSQL(t, plant.file, plant.sql)
			if len(found) != 1 || !strings.Contains(found[0], plant.says) || !strings.HasPrefix(found[0], plant.file+":") {
				t.Errorf("found %q, want one that says %q", found, plant.says)
			}
		})
	}
	if found := findSQL(t, query, ""); len(found) > 0 {
		t.Errorf("the sound tree breaks %q", found)
	}
}

// findSQL adds a statement to a file of the sound tree and looks for faults.
func findSQL(t *testing.T, file, sql string) []string {
	t.Helper()
	tree := fstest.MapFS{}
	for name, text := range soundSQL {
		if name == file {
			text += "\n" + sql
		}
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	all, err := sqlStatements(tree)
	if err != nil {
		t.Fatal(err)
	}
	return brokenSQLRules(all)
}
