package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// doomed is a tenant that is to be erased, and how much there is of it.
type doomed struct {
	tenant
	schema string
	tables int64
	rows   int64
}

// doom makes a tenant with something of every sort, and deletes it.
func (s *stack) doom(t *testing.T, l landlord, conn *pgx.Conn) doomed {
	t.Helper()
	d := doomed{tenant: l.newTenant(t, "doomed")}
	for i := range 12 {
		upload(t, d.owner, fmt.Sprintf("%d.txt", i), "content")
	}
	d.schema = schemaOf(t, conn, d.id)
	l.operator.do(t, "DELETE", "/v1/tenants/"+d.id, "", "If-Match: *").want(t, http.StatusOK)
	mustExec(t, conn, `INSERT INTO river.river_job (kind, args, max_attempts, state, finalized_at)
		SELECT 'insula', jsonb_build_object('tenant', $1::text), 1, 'completed', now() FROM generate_series(1, 1200)`, d.id)
	eventually(t, time.Minute, func() error { // the sealer may still be at it: what has an object must have its mark
		was := d
		d.count(t, conn)
		if was.rows != d.rows {
			return errors.New("the tenant is not at rest")
		}
		return nil
	})
	return d
}

func mustExec(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (d *doomed) count(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	names := query[string](t, conn, "SELECT tablename::text FROM pg_tables WHERE schemaname = $1", d.schema)
	d.tables, d.rows = int64(len(names)), 0
	for _, name := range names {
		d.rows += query[int64](t, conn, "SELECT count(*) FROM "+pgx.Identifier{d.schema, name}.Sanitize())[0]
	}
}

// TestKillDuringErasure kills the server at every step of erasing a tenant,
// and starts it again: each time nothing is left in the end, and the receipt
// tells of all that there was, which the binary alone can verify.
func TestKillDuringErasure(t *testing.T) {
	s, conn, v, l := prepared(t)
	for _, moment := range []struct{ name, come string }{
		{"it is asked for", "SELECT count(*) > 0 FROM control.erasures WHERE tenant_id::text = @id"},
		{"all is counted", "SELECT count(*) > 0 FROM control.erasures WHERE tenant_id::text = @id AND state <> 'begun'"},
		{"the first tables are gone", "SELECT count(*) < @tables FROM pg_tables WHERE schemaname = @schema"},
		{"the schema is gone", "SELECT count(*) = 0 FROM pg_namespace WHERE nspname = @schema"},
		{"the role is gone", "SELECT count(*) = 0 FROM pg_roles WHERE rolname = @schema"},
		{"work is being removed", "SELECT count(*) < 1200 FROM river.river_job WHERE args ->> 'tenant' = @id"},
		{"the receipt is signed", "SELECT count(*) > 0 FROM control.erasure_receipts WHERE tenant_id::text = @id"},
		{"the registry has forgotten it", "SELECT count(*) = 0 FROM control.tenants WHERE id::text = @id"},
	} {
		d := s.doom(t, l, conn)
		operation := l.operator.do(t, "POST", "/v1/tenants/"+d.id+"/erase", object("slug", d.slug)).want(t, http.StatusAccepted).text(t, "id")
		come := pgx.NamedArgs{"id": d.id, "schema": d.schema, "tables": d.tables}
		for !query[bool](t, conn, moment.come, come)[0] {
			continue // look again
		}
		v.kill()
		left := query[string](t, conn, "SELECT status || ' at ' || progress FROM control.operations WHERE id::text = $1", operation)[0]
		t.Logf("killed when %s: the operation is %s", moment.name, left)
		v = s.serve(t)
		l = s.found(t, v)
		s.isErased(t, conn, l, d, operation)
	}
}

// TestPartsAwayDuringErasure takes S3 and then PostgreSQL away while a tenant
// is being erased. Without them it waits; with them it goes on by itself.
func TestPartsAwayDuringErasure(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	conn := s.inspector(t)
	wire := newRelay(t, strings.TrimPrefix(s.parts["S3_ENDPOINT"], "http://"))
	v := s.serve(t, "S3_ENDPOINT=http://"+wire.addr)
	l := s.found(t, v)

	d := s.doom(t, l, conn)
	wire.cut()
	operation := l.operator.do(t, "POST", "/v1/tenants/"+d.id+"/erase", object("slug", d.slug)).want(t, http.StatusAccepted).text(t, "id")
	eventually(t, time.Minute, func() error {
		o := read[struct {
			Status string
			Error  struct{ Code string }
		}](t, l.operator.do(t, "GET", "/v1/operations/"+operation, "").want(t, http.StatusOK))
		if o.Status != "running" || o.Error.Code != "unavailable" {
			return fmt.Errorf("without S3 the operation says %+v", o)
		}
		return nil
	})
	wire.mend(t)
	s.isErased(t, conn, l, d, operation)

	d = s.doom(t, l, conn)
	operation = l.operator.do(t, "POST", "/v1/tenants/"+d.id+"/erase", object("slug", d.slug)).want(t, http.StatusAccepted).text(t, "id")
	for !query[bool](t, conn, "SELECT count(*) < $2 FROM pg_tables WHERE schemaname = $1", d.schema, d.tables)[0] {
		continue // look again
	}
	s.loseDatabase(t, v)
	s.isErased(t, s.inspector(t), l, d, operation)
}

// isErased waits until an erasure is done and looks at what it has left.
func (s *stack) isErased(t *testing.T, conn *pgx.Conn, l landlord, d doomed, operation string) {
	t.Helper()
	eventually(t, resumeLimit, func() error {
		o := l.operator.do(t, "GET", "/v1/operations/"+operation, "").want(t, http.StatusOK, http.StatusServiceUnavailable)
		if o.status != http.StatusOK || o.text(t, "status") != "succeeded" { // its connections may be those of a database that died
			return fmt.Errorf("the operation: %s", o.body)
		}
		return nil
	})
	left := query[string](t, conn, `
		SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname = @schema
		UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname = @schema
		UNION ALL SELECT 'work' FROM river.river_job WHERE args::text LIKE '%' || @id || '%'
		UNION ALL SELECT 'tenant ' || slug FROM control.tenants WHERE id::text = @id
		UNION ALL SELECT 'operation ' || kind FROM control.operations WHERE tenant_id::text = @id AND kind <> 'tenants.erase'`,
		pgx.NamedArgs{"id": d.id, "schema": d.schema})
	files, err := filepath.Glob(filepath.Join(s.dir, "s3", "objects", "*", d.id, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if left = append(left, files...); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	r := read[struct {
		Tables, Rows, Objects, Jobs int64
		Note                        string
	}](t, l.operator.do(t, "GET", "/v1/tenants/"+d.id+"/receipt", "").want(t, http.StatusOK))
	if r.Tables != d.tables || r.Rows != d.rows || r.Objects < 12 || r.Jobs < 1200 {
		t.Errorf("the receipt says %+v, there were %d tables with %d rows", r, d.tables, d.rows)
	}
	file := filepath.Join(t.TempDir(), "receipt")
	if err := os.WriteFile(file, []byte(r.Note), 0o600); err != nil {
		t.Fatal(err)
	}
	key := strings.TrimSpace(string(s.insula(t, "tenant", "receipt", "key")))
	if said := string(s.insula(t, "tenant", "receipt", "verify", file, "--key", key)); !strings.HasPrefix(said, "genuine: tenant "+d.slug) {
		t.Errorf("insula tenant receipt verify says %s", said)
	}
}

// TestEraseByCommand previews and erases a tenant with the binary alone.
func TestEraseByCommand(t *testing.T) {
	s, conn, _, l := prepared(t)
	d := s.doom(t, l, conn)
	plan := string(s.insula(t, "tenant", "erase", "--slug", d.slug, "--dry-run"))
	if !strings.Contains(plan, "is deleting") || !strings.Contains(plan, fmt.Sprintf("%d tables with %d rows", d.tables, d.rows)) {
		t.Errorf("the preview says %s", plan)
	}
	note := string(s.insula(t, "tenant", "erase", "--slug", d.slug, "--confirm", d.slug))
	if !strings.HasPrefix(note, "insula erasure receipt\ntenant "+d.id) {
		t.Errorf("it prints %s", note)
	}
	told := l.operator.trail(t, "operation=tenants.erase&target_id="+d.id)
	if len(told) != 1 {
		t.Errorf("the operator's trail says %+v", told)
	}
	if left := query[int64](t, conn, "SELECT count(*) FROM pg_namespace WHERE nspname = $1", d.schema)[0]; left != 0 {
		t.Error("the schema is still there")
	}
}
