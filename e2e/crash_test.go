package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// resumeLimit is how long a server may take to finish what a dead one has left:
// it looks every 15 seconds for what is older than 10.
const resumeLimit = 90 * time.Second

// birth is one request for a tenant and what became of it.
type birth struct {
	slug   string
	status int // 0 without an answer
}

// TestKillDuringProvisioning kills the server at different moments while it
// makes many tenants, and at each step of making one, and starts it again. In the end every tenant that somebody was
// told of is there, every one that is there is complete, and nothing is left of
// the others.
func TestKillDuringProvisioning(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	conn := s.inspector(t)
	births := s.killAtEachStep(t, conn)
	var l landlord
	for _, moment := range []struct {
		name string
		come func(answered int) bool
	}{
		{"a tenant is registered", func(int) bool {
			return query[bool](t, conn, "SELECT EXISTS (SELECT FROM control.tenants WHERE status = 'provisioning')")[0]
		}},
		{"a schema is being made", func(int) bool {
			return query[bool](t, conn, `SELECT EXISTS (SELECT FROM pg_stat_activity
				WHERE usename = 'insula_migrator' AND backend_xid IS NOT NULL AND query ~ '^(CREATE|ALTER|GRANT)')`)[0]
		}},
		{"the first has its answer", func(answered int) bool { return answered > 0 }},
		{"half of them have their answers", func(answered int) bool { return answered > crowd/2 }},
	} {
		v := s.serve(t)
		l = s.found(t, v)
		round := l.manyTenants(t, v, moment.come)
		births = append(births, round...)
		v.kill()
		t.Logf("killed when %s: %s", moment.name, tally(round))
	}

	v := s.serve(t)
	l = s.found(t, v)
	eventually(t, resumeLimit, func() error {
		left := query[string](t, conn, `SELECT slug FROM control.tenants WHERE status = 'provisioning'
			UNION SELECT 'operation of ' || tenant_id FROM control.operations WHERE status = 'running'
			UNION SELECT 'spare ' || schema_name FROM control.spares WHERE state <> 'ready'`)
		if len(left) > 0 {
			return fmt.Errorf("still unfinished: %v", left)
		}
		return stocked(t, conn)
	})
	for _, b := range births {
		b.check(t, conn, l)
	}
	noOrphans(t, conn)
	l.newTenant(t, "after-the-crash").mainJob(t)
}

// crowd is how many tenants are asked for at once.
const crowd = 8

// manyTenants asks for many tenants at once and kills the server when the
// moment has come, or when all have their answers.
func (l landlord) manyTenants(t *testing.T, v *server, come func(answered int) bool) []birth {
	t.Helper()
	births := make([]birth, crowd)
	answered := make(chan int, crowd)
	var group sync.WaitGroup
	for i := range births {
		births[i].slug = fmt.Sprintf("birth-%d", slugs.Add(1))
		group.Go(func() {
			b := &births[i]
			b.status = l.bear(t.Context(), b.slug)
			answered <- i
		})
	}
	for n := 0; n < crowd && !come(n); {
		select {
		case <-answered:
			n++
		default: // look again
		}
	}
	v.proc.Signal(syscall.SIGKILL)
	group.Wait()
	return births
}

func tally(round []birth) string {
	counts := map[int]int{}
	for _, b := range round {
		counts[b.status]++
	}
	return strings.TrimPrefix(fmt.Sprint(counts), "map")
}

// check finds a tenant complete, or nothing of it.
func (b birth) check(t *testing.T, conn *pgx.Conn, l landlord) {
	t.Helper()
	type row struct{ ID, Status, Schema string }
	rows, err := conn.Query(t.Context(), "SELECT id::text, status, schema_name FROM control.tenants WHERE slug = $1", b.slug)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case b.status != 0 && b.status != http.StatusCreated && b.status != http.StatusAccepted && b.status != http.StatusServiceUnavailable:
		t.Errorf("%s was answered with %d", b.slug, b.status)
	case len(found) == 0 && b.status/100 == 2:
		t.Errorf("%s was answered with %d and is gone", b.slug, b.status)
	case len(found) == 1 && found[0].Status != "active":
		t.Errorf("%s is %s", b.slug, found[0].Status)
	case len(found) == 1:
		complete(t, conn, found[0].Schema, "owner@"+b.slug+".example")
		l.invitation(t, "owner@"+b.slug+".example", b.slug)
	}
}

// shape describes a schema: columns, indexes, constraints and what its role may
// do, without its name.
const shape = `SELECT line FROM (
	SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line
	FROM information_schema.columns WHERE table_schema = $1
	UNION ALL SELECT 'index ' || replace(indexdef, $1, '') FROM pg_indexes WHERE schemaname = $1
	UNION ALL SELECT 'constraint ' || conname || ' ' || replace(pg_get_constraintdef(oid), $1, '')
	FROM pg_constraint WHERE connamespace = $1::regnamespace
	UNION ALL SELECT 'right to ' || relname || ' ' || a.privilege_type
	FROM pg_class, aclexplode(relacl) a JOIN pg_roles r ON r.oid = a.grantee
	WHERE relnamespace = $1::regnamespace AND r.rolname = $1
) lines ORDER BY line`

// complete compares a tenant's schema with the operator's, which was made in
// peace, and looks for its first rows.
func complete(t *testing.T, conn *pgx.Conn, schema, owner string) {
	t.Helper()
	model := query[string](t, conn, "SELECT schema_name FROM control.tenants WHERE kind = 'operator'")[0]
	want, got := query[string](t, conn, shape, model), query[string](t, conn, shape, schema)
	if !slices.Equal(want, got) || len(got) < 50 {
		t.Errorf("schema of %s is not complete: it has %d of %d lines", owner, len(got), len(want))
	}
	if member := query[bool](t, conn, "SELECT pg_has_role('insula_app', $1, 'MEMBER')", schema); !member[0] {
		t.Errorf("the application cannot become the role of %s", owner)
	}
	in := func(sql string) []string {
		return query[string](t, conn, strings.ReplaceAll(sql, "@", pgx.Identifier{schema}.Sanitize()+"."))
	}
	if roles := in("SELECT name FROM @roles ORDER BY name"); !slices.Equal(roles, []string{"admin", "auditor", "member", "owner"}) {
		t.Errorf("%s has the roles %v", owner, roles)
	}
	if users := in("SELECT u.email || ' ' || r.name FROM @users u JOIN @user_roles ON user_id = u.id JOIN @roles r ON role_id = r.id"); !slices.Equal(users, []string{owner + " owner"}) {
		t.Errorf("%s is not the owner: %v", owner, users)
	}
	if born := in("SELECT outcome FROM @audit_events WHERE operation = 'tenants.provision'"); !slices.Equal(born, []string{"done"}) {
		t.Errorf("the trail of %s begins with %v", owner, born)
	}
}

// noOrphans finds no schema and no role that neither a tenant nor the stock has.
func noOrphans(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	orphans := query[string](t, conn, `
		WITH known AS (SELECT schema_name FROM control.tenants WHERE status = 'active' UNION SELECT schema_name FROM control.spares)
		SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname LIKE 't\_%' AND nspname NOT IN (SELECT schema_name FROM known)
		UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname LIKE 't\_%' AND rolname NOT IN (SELECT schema_name FROM known)`)
	if len(orphans) > 0 {
		t.Errorf("left behind: %v", orphans)
	}
}

// TestDatabaseCrash kills PostgreSQL, all of it at once, while users are being
// added. The supervisor says what it has lost and where its log is. Once the
// parts are back the same server goes on by itself, and every user that
// somebody was told of is there.
func TestDatabaseCrash(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	v := s.serve(t)
	n := s.found(t, v).newTenant(t, "crash")

	told, wrong := n.addUsersUntil(t, s.killPostgres)
	if len(wrong) > 0 {
		t.Errorf("without its database the server answers %v", wrong)
	}
	<-s.proc.Done()
	if said := s.output(); s.proc.Err() == nil || !strings.Contains(said, "PostgreSQL is gone") || !strings.Contains(said, "its log is") {
		t.Errorf("the supervisor ends with %v\n%s", s.proc.Err(), said)
	}
	client{api: v.api}.do(t, "GET", "/readyz", "").refused(t, http.StatusServiceUnavailable, "")
	client{api: v.api}.do(t, "GET", "/livez", "").want(t, http.StatusOK)

	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	if err := waitFor(time.Minute, v.proc.Done(), func() error { return answers(v.api + "/readyz") }); err != nil {
		t.Fatalf("the server after the crash of its database: %v", err)
	}
	there := map[string]bool{}
	for _, u := range all[user](t, n.owner, "/v1/users?limit=200") {
		there[u.Email] = true
		if u.Email != n.ownerEmail && !slices.Equal(u.Roles, []string{"member"}) {
			t.Errorf("%s has the roles %v: half a user", u.Email, u.Roles)
		}
	}
	for _, email := range told {
		if !there[email] {
			t.Errorf("%s was answered with 201 and is lost", email)
		}
	}
	t.Logf("%d users were added before the crash, %d are there", len(told), len(there)-1)
	n.mainJob(t)
}

// addUsersUntil adds users from several sides until the server refuses all of
// them, having struck once some are there. It returns whom it was told of, and
// refusals that are none of a server without a database.
func (n tenant) addUsersUntil(t *testing.T, strike func(*testing.T)) (told, wrong []string) {
	t.Helper()
	const sides, enough = 4, 40
	var mu sync.Mutex
	var group sync.WaitGroup
	struck := make(chan struct{})
	enoughTold := sync.OnceFunc(func() { close(struck) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range sides {
		group.Go(func() {
			for ctx.Err() == nil {
				email := fmt.Sprintf("user-%d@example.com", slugs.Add(1))
				body := object("email", email, "name", "Una User", "roles", []string{"member"})
				a, err := n.owner.try(ctx, request{method: "POST", path: "/v1/users", body: body})
				mu.Lock()
				switch {
				case err == nil && a.status == http.StatusCreated:
					told = append(told, email)
				case err != nil || a.status != http.StatusServiceUnavailable:
					wrong = append(wrong, fmt.Sprint(a.status, " ", err, " ", string(a.body)))
				}
				if len(told) >= enough {
					enoughTold()
				}
				mu.Unlock()
				if err != nil || a.status != http.StatusCreated {
					return
				}
			}
		})
	}
	select {
	case <-struck:
		strike(t)
	case <-ctx.Done():
		t.Errorf("only %d users were added", len(told))
	}
	group.Wait()
	return told, wrong
}

// killPostgres ends the server and all its processes, as a power failure would.
func (s *stack) killPostgres(t *testing.T) {
	t.Helper()
	family, err := descendants(s.proc.PID())
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, p := range family {
		if strings.HasPrefix(p.name, "postgres") && syscall.Kill(p.pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	if killed == 0 {
		t.Fatalf("no PostgreSQL among %+v", family)
	}
}

// loseDatabase kills PostgreSQL and brings the parts back. The server stays the
// same, and finds its database again by itself.
func (s *stack) loseDatabase(t *testing.T, v *server) {
	t.Helper()
	s.killPostgres(t)
	<-s.proc.Done()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	if err := waitFor(time.Minute, v.proc.Done(), func() error { return answers(v.api + "/readyz") }); err != nil {
		t.Fatalf("the server after the crash of its database: %v", err)
	}
}
