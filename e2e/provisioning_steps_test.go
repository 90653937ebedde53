package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// barrier keeps everybody from writing tables, and is met by a statement that
// then waits.
type barrier struct {
	tables  string // @ stands for the schema of each spare that is ready
	waiting string // a part of the statement
}

// step is a point at which the server can be stopped while it makes a tenant:
// behind the last barrier, each of which is raised before the one in front of
// it falls.
type step struct {
	name     string
	barriers []barrier
}

// spareSteps are those of a tenant that gets a spare, ownSteps those of one
// that is made a schema of its own, and stockSteps those of making spares.
var (
	spareSteps = []step{
		{"a tenant is being registered", []barrier{{"control.operations", "InsertOperation"}}},
		{"a spare is taken", []barrier{{"control.spares", "TakeSpare"}}},
		{"the registry is told of it", []barrier{{"control.operations", "InsertOperation"}, {"control.tenants", "SettleIn"}}},
		{"the first rows are written", []barrier{{"@.roles", "InsertRole"}}},
		{"the owner is being invited", []barrier{{"@.one_time_tokens", "OneTimeToken"}}},
		{"the work is closed", []barrier{{"@.one_time_tokens", "OneTimeToken"}, {"control.operations", "UpdateOperation"}}},
	}
	ownSteps = []step{
		{"its schema is made", []barrier{{"pg_namespace", "CREATE SCHEMA"}}},
		{"its role is made", []barrier{{"pg_authid", "CREATE ROLE"}}},
		{"its tables are made", []barrier{{"pg_constraint", "CREATE TABLE"}}},
	}
	stockSteps = []step{
		{"a spare is entered", []barrier{{"control.spares", "AddSpare"}}},
		{"a spare's tables are made", []barrier{{"pg_constraint", "CREATE TABLE"}}},
		{"the roles of spares are made", []barrier{{"pg_authid", "CREATE ROLE"}}},
	}
)

// withoutSpares lets a server make no spares.
const withoutSpares = "INSULA_SPARE_SCHEMAS=0"

// killAtEachStep kills the server outright at each step of making spares and
// tenants, and goes on with another one. It returns the tenants that were asked
// for. Spares come first: tenants that wait would keep them from being made.
func (s *stack) killAtEachStep(t *testing.T, conn *pgx.Conn) (births []birth) {
	t.Helper()
	v := s.sellOut(t, conn)
	l := s.found(t, v)
	v.kill()
	for _, step := range stockSteps {
		fall := step.barriers[0].raise(t, s)
		v := s.serve(t)
		step.barriers[0].met(t, conn)
		v.kill()
		fall()
		t.Logf("killed when %s", step.name)
	}
	for _, step := range spareSteps {
		v := s.serve(t)
		eventually(t, time.Minute, func() error { return stocked(t, conn) })
		births = append(births, step.killBirth(t, s, v, l))
	}
	v = s.sellOut(t, conn)
	for _, step := range ownSteps {
		births = append(births, step.killBirth(t, s, v, l))
		v = s.serve(t, withoutSpares)
	}
	v.kill()
	return births
}

// sellOut starts a server that makes no spares, and has it drop those that are
// there.
func (s *stack) sellOut(t *testing.T, conn *pgx.Conn) *server {
	t.Helper()
	query[string](t, conn, "UPDATE control.spares SET state = 'leaving' RETURNING schema_name")
	v := s.serve(t, withoutSpares)
	eventually(t, time.Minute, func() error {
		if left := query[string](t, conn, "SELECT schema_name FROM control.spares"); len(left) > 0 {
			return fmt.Errorf("still in stock: %v", left)
		}
		return nil
	})
	return v
}

// stocked reports that no spare is ready.
func stocked(t *testing.T, conn *pgx.Conn) error {
	t.Helper()
	if ready := query[bool](t, conn, "SELECT EXISTS (SELECT FROM control.spares WHERE state = 'ready')"); !ready[0] {
		return errors.New("no spare is ready")
	}
	return nil
}

// killBirth asks a server for a tenant and kills it at the step.
func (p step) killBirth(t *testing.T, s *stack, v *server, l landlord) birth {
	t.Helper()
	conn := s.inspector(t)
	b := birth{slug: fmt.Sprintf("birth-%d", slugs.Add(1))}
	answered := make(chan int, 1)
	fall := p.barriers[0].raise(t, s)
	go func() { answered <- l.at(v).bear(context.Background(), b.slug) }()
	for i, now := range p.barriers {
		now.met(t, conn)
		if i+1 < len(p.barriers) {
			next := p.barriers[i+1].raise(t, s)
			fall()
			fall = next
		}
	}
	v.kill()
	fall()
	b.status = <-answered
	t.Logf("killed when %s: %d", p.name, b.status)
	return b
}

// bear asks for a tenant and returns the status of the answer, 0 without one.
func (l landlord) bear(ctx context.Context, slug string) int {
	body := object("slug", slug, "name", "Born in a storm", "admin_email", "owner@"+slug+".example")
	a, err := l.operator.try(ctx, request{method: "POST", path: "/v1/tenants", body: body})
	if err != nil {
		return 0
	}
	return a.status
}

// raise begins to keep everybody from writing, after those who are at it. The
// barrier falls when the answer is called.
func (b barrier) raise(t *testing.T, s *stack) (fall func()) {
	t.Helper()
	holder := s.inspector(t)
	tables := []string{b.tables}
	if table, of := strings.CutPrefix(b.tables, "@"); of {
		tables = query[string](t, holder, "SELECT schema_name || $1 FROM control.spares WHERE state = 'ready'", table)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = holder.Exec(ctx, "BEGIN; LOCK TABLE "+strings.Join(tables, ", ")+" IN SHARE MODE")
	}()
	conn := s.inspector(t)
	last := tables[len(tables)-1]
	eventually(t, time.Minute, func() error {
		if there := query[bool](t, conn, `SELECT EXISTS (SELECT FROM pg_locks
			WHERE pid = $1 AND relation = $2::regclass AND mode = 'ShareLock')`, holder.PgConn().PID(), last); !there[0] {
			return fmt.Errorf("the lock on %s is not asked for", last)
		}
		return nil
	})
	return func() {
		cancel()
		<-done
		_ = holder.Close(context.Background())
	}
}

// met waits for the statement to wait.
func (b barrier) met(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	eventually(t, time.Minute, func() error {
		if waits := query[bool](t, conn, `SELECT EXISTS (SELECT FROM pg_stat_activity
			WHERE usename LIKE 'insula%' AND wait_event_type = 'Lock' AND position($1 IN query) > 0)`, b.waiting); !waits[0] {
			return fmt.Errorf("no %s waits for %s", b.waiting, b.tables)
		}
		return nil
	})
}
