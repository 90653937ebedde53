package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// carried is a tenant of which copies are made, with enough in it that a copy
// takes a while.
type carried struct {
	tenant
	file string
	rows map[string]string // of the tables that every copy must have
}

// copiedTables are those that every copy has as they were. The trail and what
// belongs to sessions goes its own ways.
var copiedTables = []string{"users", "roles", "user_roles", "files", "file_usage", "authenticators", "settings"}

// carry makes a tenant that is to be copied.
func (s *stack) carry(t *testing.T, l landlord, conn *pgx.Conn) *carried {
	t.Helper()
	c := &carried{tenant: l.newTenant(t, "carried")}
	for i := range 8 {
		c.file = upload(t, c.owner, fmt.Sprintf("%d.txt", i), strings.Repeat("content ", 64<<10)) // half a mebibyte
	}
	for range 10 {
		c.owner.do(t, "POST", "/v1/users", object("email", fmt.Sprintf("user-%d@example.com", slugs.Add(1)), "name", "Una User", "roles", []string{"member"})).want(t, http.StatusCreated)
	}
	c.rows = tablesOf(t, conn, c.id)
	return c
}

// tablesOf digests the tables of a tenant that every copy must have.
func tablesOf(t *testing.T, conn *pgx.Conn, id string) map[string]string {
	t.Helper()
	schema := schemaOf(t, conn, id)
	out := map[string]string{}
	for _, table := range copiedTables {
		out[table] = query[string](t, conn, "SELECT count(*) || ' rows ' || md5(coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '')) FROM "+
			pgx.Identifier{schema, table}.Sanitize()+" r")[0]
	}
	return out
}

// copyDeed is one thing that is done with a tenant and may be interrupted.
type copyDeed struct {
	name    string
	begin   func(backup string) (path, body string)
	moments []moment
}

// moment is when to strike: a question about the operation and the schema that
// it makes, which is answered with true when the moment has come.
type moment struct{ name, come string }

// The moments of a copy, from its acceptance to its last step.
var (
	accepted = moment{"it is accepted", "SELECT true FROM control.copies WHERE operation_id::text = @id"}
	begun    = moment{"it has begun", "SELECT attempts > 0 FROM control.copies WHERE operation_id::text = @id"}
	half     = moment{"some of it is done", "SELECT progress > 30 FROM control.operations WHERE id::text = @id"}
	filling  = moment{"the new schema is there", "SELECT EXISTS (SELECT FROM pg_namespace n, control.copies c WHERE c.operation_id::text = @id AND n.nspname = c.schema_name)"}
	decided  = moment{"it is decided", "SELECT step <> 'copying' FROM control.copies WHERE operation_id::text = @id"}
	over     = moment{"it is over", "SELECT status <> 'running' FROM control.operations WHERE id::text = @id"}
)

var copyDeeds = []copyDeed{
	{"backup", func(string) (string, string) { return "/backups", "" },
		[]moment{accepted, begun, half, decided, over}},
	{"restore", func(backup string) (string, string) {
		return "/restore", object("backup_id", backup, "slug", fmt.Sprintf("again-%d", slugs.Add(1)), "name", "Again")
	}, []moment{accepted, begun, filling, half, over}},
	{"restore in place", func(backup string) (string, string) {
		return "/restore", object("backup_id", backup, "in_place", true)
	}, []moment{accepted, begun, filling, half, decided, over}},
	{"clone", func(string) (string, string) {
		return "/clone", object("slug", fmt.Sprintf("twin-%d", slugs.Add(1)), "name", "Twin")
	}, []moment{accepted, begun, filling, half, over}},
}

// TestKillDuringCopies kills the server at every step of backup, restore and
// clone, and starts it again: each is finished, with all that belongs to it,
// and leaves nothing else.
func TestKillDuringCopies(t *testing.T) {
	s, conn, v, l := prepared(t)
	c := s.carry(t, l, conn)
	backup := l.backUp(t, c.tenant)
	for _, d := range copyDeeds {
		for _, m := range d.moments {
			a := l.begins(t, c, d, backup)
			awaitMoment(t, conn, m, a)
			v.kill()
			t.Logf("%s killed when %s: %s", d.name, m.name, standing(t, conn, a))
			v = s.serve(t)
			l = s.found(t, v)
			s.isWhole(t, conn, l, c, d, a)
		}
	}
	s.leavesNoCopies(t, conn)
}

// TestDatabaseCrashDuringCopies kills PostgreSQL, all of it at once, in the
// middle of backup, restore and clone. The same server goes on by itself.
func TestDatabaseCrashDuringCopies(t *testing.T) {
	s, conn, v, l := prepared(t)
	c := s.carry(t, l, conn)
	backup := l.backUp(t, c.tenant)
	for _, d := range copyDeeds {
		for _, m := range d.moments[1:] {
			a := l.begins(t, c, d, backup)
			awaitMoment(t, conn, m, a)
			s.loseDatabase(t, v)
			conn = s.inspector(t)
			t.Logf("%s without PostgreSQL when %s: %s", d.name, m.name, standing(t, conn, a))
			s.isWhole(t, conn, l, c, d, a)
		}
	}
	s.leavesNoCopies(t, conn)
}

// begins asks for a copy.
func (l landlord) begins(t *testing.T, c *carried, d copyDeed, backup string) answer {
	t.Helper()
	path, body := d.begin(backup)
	return l.operator.do(t, "POST", "/v1/tenants/"+c.id+path, body).want(t, http.StatusAccepted)
}

// operationOf is the id of the operation that an answer names.
func operationOf(a answer) string {
	return strings.TrimPrefix(a.header.Get("Location"), "/v1/operations/")
}

// awaitMoment waits until the moment has come, or the copy is over.
func awaitMoment(t *testing.T, conn *pgx.Conn, m moment, a answer) {
	t.Helper()
	args := pgx.NamedArgs{"id": operationOf(a)}
	for !query[bool](t, conn, m.come, args)[0] && !query[bool](t, conn, over.come, args)[0] {
		continue // look again
	}
}

// standing tells where a copy is.
func standing(t *testing.T, conn *pgx.Conn, a answer) string {
	t.Helper()
	return query[string](t, conn, `SELECT o.status || ' at ' || o.progress || ', ' || c.step || ', attempt ' || c.attempts
		FROM control.operations o JOIN control.copies c ON c.operation_id = o.id WHERE o.id::text = $1`, operationOf(a))[0]
}

// isWhole waits until a copy has succeeded, and looks at what it has made.
func (s *stack) isWhole(t *testing.T, conn *pgx.Conn, l landlord, c *carried, d copyDeed, a answer) {
	t.Helper()
	c.landlord, c.owner.api = l, l.operator.api
	o := l.follow(t, a, "succeeded")
	if d.name == "backup" {
		b := l.operator.do(t, "GET", "/v1/tenants/"+c.id+"/backups/"+a.text(t, "id"), "").want(t, http.StatusOK)
		if b.text(t, "status") != "complete" {
			t.Errorf("the backup is %s", b.body)
		}
		return
	}
	for table, rows := range tablesOf(t, conn, o.TenantID) {
		if rows != c.rows[table] {
			t.Errorf("%s: table %s has %s, had %s", d.name, table, rows, c.rows[table])
		}
	}
	slug := query[string](t, conn, "SELECT slug FROM control.tenants WHERE id::text = $1 AND status = 'active'", o.TenantID)[0]
	u := client{api: c.owner.api, tenant: slug}
	u = u.as(u.login(t, c.ownerEmail, password))
	if got := u.do(t, "GET", "/v1/files/"+c.file+"/content", "").want(t, http.StatusOK); len(got.body) != 8*64<<10 {
		t.Errorf("%s: the file has %d bytes", d.name, len(got.body))
	}
	if slug == c.slug {
		c.owner = u
	}
}

// leavesNoCopies finds no schema and role without a tenant, no archive without
// a backup and no object without a tenant.
func (s *stack) leavesNoCopies(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	left := query[string](t, conn, `
		SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname LIKE 't\_%' AND nspname NOT IN (SELECT schema_name FROM control.tenants UNION ALL SELECT schema_name FROM control.spares)
		UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname LIKE 't\_%' AND rolname NOT IN (SELECT schema_name FROM control.tenants UNION ALL SELECT schema_name FROM control.spares)
		UNION ALL SELECT 'copy ' || operation_id FROM control.copies WHERE step <> 'over'
		UNION ALL SELECT 'tenant ' || slug FROM control.tenants WHERE status = 'provisioning'`)
	known := map[string]bool{}
	for _, name := range query[string](t, conn, "SELECT id::text FROM control.tenants UNION ALL SELECT object_id::text FROM control.backups") {
		known[name] = true
	}
	for _, place := range []string{"*", "backups/*"} {
		files, err := filepath.Glob(filepath.Join(s.dir, "s3", "objects", "*", place))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if name := filepath.Base(f); len(name) == len("019fb1f3-9d4c-7e0c-b0a5-4c2b6f0f8f11") && !known[name] && !empty(f) {
				left = append(left, f)
			}
		}
	}
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// empty reports whether nothing is in a directory.
func empty(dir string) bool {
	entries, err := os.ReadDir(dir)
	return err == nil && len(entries) == 0
}
