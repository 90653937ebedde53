package main

import (
	"strings"
	"testing"
)

func TestLint(t *testing.T) {
	const file = "sql/migrations/tenant/20260203040506_change.sql"
	cases := []struct {
		name, sql string
		fails     bool
		says      string
		silent    string
	}{
		{"harmless", "ALTER TABLE rooms ADD COLUMN color text;", false, "2 of 2 migrations read", "warning"},
		{"drop column", "ALTER TABLE rooms DROP COLUMN floor;", true, file + ":2: error: Dropping non-virtual column \"floor\" (destructive DS103)", ""},
		{"drop table", "DROP TABLE rooms;", true, "DS102", ""},
		{"not null", "ALTER TABLE rooms ADD COLUMN color text NOT NULL;", false, "warning: Adding a non-nullable", ""},
		{"created and dropped", "CREATE TABLE a (id uuid);\nDROP TABLE a;", false, "2 of 2", "error"},
		{"meant, by analyzer", "-- atlas:nolint destructive\nALTER TABLE rooms DROP COLUMN floor;", false, "2 of 2", "DS103"},
		{"meant, by code", "-- atlas:nolint DS103\nALTER TABLE rooms DROP COLUMN floor;", false, "2 of 2", "DS103"},
		{"another thing meant", "-- atlas:nolint DS102\nALTER TABLE rooms DROP COLUMN floor;", true, "DS103", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			tr := migratedTree(t)
			tr.ok("new", "change", "--scope", "tenant")
			tr.add(file, c.sql+"\n")
			tr.ok("hash")
			out, err := tr.run("lint")
			if (err != nil) != c.fails {
				t.Errorf("error is %v", err)
			}
			if !strings.Contains(out, c.says) {
				t.Errorf("it does not say %q:\n%s", c.says, out)
			}
			if c.silent != "" && strings.Contains(out, c.silent) {
				t.Errorf("it says %q:\n%s", c.silent, out)
			}
		})
	}
}

func TestLintOnlyWhatIsNew(t *testing.T) {
	tr := migratedTree(t)
	tr.ok("new", "old", "--scope", "tenant", "--version", "20260201000000")
	tr.add("sql/migrations/tenant/20260201000000_old.sql", "ALTER TABLE rooms DROP COLUMN floor;\n")
	tr.ok("hash")
	tr.fails([]string{"DS103"}, "lint")
	tr.ok("lint", "--base", "20260201000000")
}
