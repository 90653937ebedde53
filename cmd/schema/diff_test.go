package main

import (
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/pgtest"
)

func TestDiffWritesTheNextStep(t *testing.T) {
	tr := migratedTree(t)
	tr.add("schema/tenant/rooms.sql", "ALTER TABLE rooms ADD COLUMN color text;\n")
	out := tr.ok("diff", "colors", "--scope", "tenant")
	const path = "sql/migrations/tenant/20260203040506_colors.sql"
	if !strings.Contains(out, "wrote "+path) {
		t.Errorf("it says:\n%s", out)
	}
	text := tr.read(path)
	if !strings.Contains(text, `ALTER TABLE "rooms" ADD COLUMN "color" text NULL;`) {
		t.Errorf("the migration is:\n%s", text)
	}
	tr.ok("check")
	if out := tr.ok("diff", "more", "--scope", "tenant", "--version", "20260303000000"); strings.Contains(out, "wrote") {
		t.Errorf("a second diff says:\n%s", out)
	}
}

func TestDiffQualifiesOnlyTheControlScope(t *testing.T) {
	tr := migratedTree(t)
	if text := tr.read("sql/migrations/control/20260101000000_init.sql"); !strings.Contains(text, `CREATE SCHEMA "control"`) ||
		!strings.Contains(text, `CREATE TABLE "control"."houses"`) || strings.Contains(text, "DROP") {
		t.Errorf("control:\n%s", text)
	}
	if text := tr.read("sql/migrations/tenant/20260101000000_init.sql"); !strings.Contains(text, `CREATE TABLE "rooms"`) ||
		strings.Contains(text, "SCHEMA") {
		t.Errorf("tenant:\n%s", text)
	}
}

// What Atlas does not see must not be forgotten silently.
func TestDiffTellsWhatAHandMustWrite(t *testing.T) {
	tr := migratedTree(t)
	tr.add("schema/tenant/rooms.sql", "ALTER TABLE rooms ADD COLUMN color text;\nCREATE VIEW reds AS SELECT id FROM rooms WHERE color = 'red';\n")
	tr.fails([]string{"wrote", "missing: view reds", "by hand"}, "diff", "reds", "--scope", "tenant")

	tr.ok("new", "reds_view", "--scope", "tenant", "--version", "20260303000000")
	const path = "sql/migrations/tenant/20260303000000_reds_view.sql"
	tr.add(path, "CREATE VIEW reds AS SELECT id FROM rooms WHERE color = 'red';\n")
	tr.fails([]string{"was edited"}, "check")
	tr.ok("hash")
	tr.ok("check")
}

func TestDiffRefuses(t *testing.T) {
	tr := migratedTree(t)
	tr.fails([]string{"no scope"}, "diff", "x", "--scope", "public")
	tr.fails([]string{"no name"}, "diff", "../x", "--scope", "tenant")
	tr.fails([]string{"no version"}, "diff", "x", "--scope", "tenant", "--version", "1")
	tr.fails([]string{"does not follow"}, "diff", "x", "--scope", "tenant", "--version", "20260101000000")
	tr.fails([]string{`"scope" not set`}, "diff", "x")
}

func TestFingerprint(t *testing.T) {
	tr := migratedTree(t)
	before := tr.ok("fingerprint")
	if lines := strings.Fields(before); len(lines) != 4 || len(lines[1]) != 64 || len(lines[3]) != 64 {
		t.Errorf("it prints:\n%s", before)
	}
	if !strings.Contains(tr.ok("fingerprint", "--list"), "index rooms_name_idx") {
		t.Error("the list lacks an index")
	}
	tr.ok("new", "more", "--scope", "tenant")
	tr.add("sql/migrations/tenant/20260203040506_more.sql", "DROP INDEX rooms_name_idx;\n")
	tr.ok("hash")
	if tr.ok("fingerprint") == before {
		t.Error("a dropped index does not change the fingerprint")
	}
	tr.fails([]string{"missing: table rooms", "drifted"}, "fingerprint", "--database", pgtest.Server(), "--schema", "public")
}
