package e2e_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// inspector is a superuser's connection, to look past every wall.
func (s *stack) inspector(t *testing.T) *pgx.Conn {
	t.Helper()
	return lookInto(t, s.superuserURL(t))
}

func lookInto(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// superuserURL is DATABASE_URL for the superuser, whose password the stack has
// made and keeps.
func (s *stack) superuserURL(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(s.summary.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "secrets.env"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if password, ok := strings.CutPrefix(strings.TrimSpace(line), "PG_SUPERUSER_PASSWORD="); ok {
			u.User = url.UserPassword("postgres", password)
			return u.String()
		}
	}
	t.Fatal("no superuser's password in secrets.env")
	return ""
}

// query reads rows of one column or more into T, field by field.
func query[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) []T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return out
}

// schemaOf is where a tenant's data is.
func schemaOf(t *testing.T, conn *pgx.Conn, tenantID string) string {
	t.Helper()
	found := query[string](t, conn, "SELECT schema_name FROM control.tenants WHERE id = $1", tenantID)
	if len(found) != 1 {
		t.Fatalf("%d tenants with id %s", len(found), tenantID)
	}
	return found[0]
}

// snapshot is what a tenant's schema holds: for each table the number of its
// rows and a digest of them. Of the trail only what was done counts, because
// refusals are meant to be added to it, and the reading of the trail, which the
// tests do to look at it, does not. Tables that background work keeps by itself
// are left out: the seals of the trail, the index of its words, and the outbox, which it empties.
func snapshot(t *testing.T, conn *pgx.Conn, tenantID string) map[string]string {
	t.Helper()
	schema := schemaOf(t, conn, tenantID)
	out := map[string]string{}
	for _, table := range query[string](t, conn, "SELECT tablename::text FROM pg_tables WHERE schemaname = $1", schema) {
		where := ""
		switch table {
		case "audit_leaves", "audit_seals", "audit_words", "outbox", "failed_attempts":
			continue
		case "audit_events":
			where = " WHERE " + told
		}
		sql := fmt.Sprintf("SELECT count(*) || ' rows ' || md5(coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '')) FROM %s r%s",
			pgx.Identifier{schema, table}.Sanitize(), where)
		out[table] = query[string](t, conn, sql)[0]
	}
	if len(out) < 5 {
		t.Fatalf("schema %s has only the tables %v", schema, out)
	}
	out["control.tenants"] = query[string](t, conn, "SELECT r::text FROM control.tenants r WHERE id = $1", tenantID)[0]
	return out
}

// told selects what of the trail must stay as it was. The tenant's own
// background work, such as the delivery of its mail, ends when it ends.
const told = "outcome = 'done' AND actor_kind <> 'job' AND operation NOT LIKE 'audit.%' AND operation <> 'auth.password.forgot'"

// unchanged fails the test when two snapshots differ.
func unchanged(t *testing.T, whose string, before, after map[string]string) {
	t.Helper()
	for table, rows := range before {
		if after[table] != rows {
			t.Errorf("%s's %s changed from %s to %s", whose, table, rows, after[table])
		}
	}
	if len(after) != len(before) {
		t.Errorf("%s had %d tables and has %d", whose, len(before), len(after))
	}
}
