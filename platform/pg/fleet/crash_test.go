package fleet_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/fleet"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
)

// childEnv, when set, makes this test binary a process that applies to the
// fleet at that URL, for others to kill; childSteps says up to which step.
const (
	childEnv   = "INSULA_FLEET_TEST_CHILD"
	childSteps = "INSULA_FLEET_TEST_STEPS"
)

var steps = []file{first, second, third}

func child(url string) int {
	ctx := context.Background()
	n, err := strconv.Atoi(os.Getenv(childSteps))
	if err != nil {
		return 9
	}
	files, err := summed(steps[:n])
	if err != nil {
		return 10
	}
	m, err := pg.OpenMigrator(ctx, secret.New(url), fstest.MapFS{}, files)
	if err != nil {
		return 11
	}
	if _, err := fleet.New(pg.NewPlacements(m, nil), clock.System{}).Apply(ctx, fleet.Options{Parallel: 2}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 12
	}
	return 0
}

// moment stops an apply at a certain point in one of the tenants: it holds a
// lock there that the apply runs into.
type moment struct {
	name  string
	from  int    // how many steps the tenants have had before; the next one is to come
	hold  string // keeps the apply from going on
	stuck string // what it is then seen at
}

var moments = []moment{
	{"before anything", 1, "SELECT pg_advisory_lock(%[2]d)", "SELECT pg_try_advisory_xact_lock%"},
	{"in the first statement", 1, "LOCK TABLE %[1]s.rooms IN ACCESS EXCLUSIVE MODE", "ALTER TABLE rooms%"},
	{"before the version is kept", 1, "SELECT FROM control.tenants WHERE schema_name = '%[1]s' FOR UPDATE", "%SetSchemaVersion%"},
	{"while an index is built", 2, "LOCK TABLE %[1]s.rooms IN ROW EXCLUSIVE MODE", "CREATE UNIQUE INDEX CONCURRENTLY%"},
}

// whole is false for the step outside a transaction: it may leave its index,
// invalid, for the next apply.
func (m moment) whole() bool { return m.from == 1 }

func (m moment) target() int64 { return steps[m.from].version }

func (m moment) open(t *testing.T) *fleet.Fleet { return open(t, steps[:m.from+1]...) }

// held prepares the moment in a tenant and returns what ends it.
func (m moment) held(t *testing.T, h tenancy.Tenant) (release func()) {
	t.Helper()
	conn := superuser(t)
	run(t, conn, "BEGIN")
	run(t, conn, fmt.Sprintf(m.hold, h.Schema, lockOf(h.Schema)))
	return func() { conn.Close(context.Background()) }
}

// lockOf is the key by which migrations of a schema exclude each other.
func lockOf(schema string) int64 {
	sum := sha256.Sum256([]byte("insula migrate " + schema))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// come waits until the apply has run into it, and returns that backend. Others
// only pass there.
func (m moment) come(t *testing.T) (backend int) {
	t.Helper()
	conn := superuser(t)
	defer conn.Close(context.Background())
	for {
		err := conn.QueryRow(t.Context(), `SELECT pid FROM pg_stat_activity
			WHERE application_name = 'insula migrator' AND datname = current_database() AND query LIKE $1
			  AND (wait_event_type = 'Lock' OR state = 'idle in transaction' AND clock_timestamp() - xact_start > '300 ms'::interval)
			  AND clock_timestamp() - coalesce(xact_start, query_start) > '200 ms'::interval`, m.stuck).Scan(&backend)
		if err == nil {
			return backend
		}
		if !errors.Is(err, pgx.ErrNoRows) || t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

// patience bounds the wait for what must happen by itself.
const patience = 30 * time.Second

// finished checks that nothing is between two versions, that nothing is held,
// and that a second apply finishes.
func (m moment) finished(t *testing.T, houses []tenancy.Tenant) {
	t.Helper()
	f := m.open(t)
	conn := superuser(t)
	for value[int](t, conn, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'insula migrator' AND datname = current_database() AND state <> 'idle'") > 0 {
		if t.Context().Err() != nil {
			t.Fatal("backends are left")
		}
	}
	// A backend gives up its locks when it notices that nobody is there any more.
	deadline := time.Now().Add(patience)
	for value[int](t, conn, "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE locktype = 'advisory' AND datname = current_database()") > 0 {
		if time.Now().After(deadline) {
			t.Fatal("locks are left")
		}
	}
	if m.whole() {
		if before := whole(t, houses, f); before[0] != v1 {
			t.Errorf("the moment came too late: %v", before)
		}
	}
	if report, err := f.Apply(t.Context(), fleet.Options{Parallel: 2}); err != nil {
		t.Fatalf("the second apply: %+v, %v", report, err)
	}
	if after := whole(t, houses, f); after[0] != m.target() {
		t.Errorf("after the second apply: %v", after)
	}
}

func TestKillOfTheProcess(t *testing.T) {
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			houses := street(t, 4, steps[:m.from]...)
			release := m.held(t, houses[1])
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childEnv+"="+here(t).MigratorURL.Reveal(), fmt.Sprintf("%s=%d", childSteps, m.from+1))
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			m.come(t)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // it was killed
			release()
			m.finished(t, houses)
		})
	}
}

func TestKillOfABackend(t *testing.T) {
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			houses := street(t, 4, steps[:m.from]...)
			release := m.held(t, houses[1])
			f, done := m.open(t), make(chan error, 1)
			go func() {
				_, err := f.Apply(context.Background(), fleet.Options{Parallel: 2})
				done <- err
			}()
			backend := m.come(t)
			run(t, superuser(t), fmt.Sprintf("SELECT pg_terminate_backend(%d)", backend))
			if err := <-done; err == nil {
				t.Error("the apply did not notice")
			}
			release()
			if got := planned(t, f, fleet.Selection{Failed: true}); !slices.Equal(got, []string{houses[1].Slug}) {
				t.Errorf("noted as failed: %q", got)
			}
			if got := whole(t, slices.Concat(houses[:1], houses[2:]), f); got[0] != m.target() {
				t.Errorf("the others are at %v", got)
			}
			m.finished(t, houses)
		})
	}
}

// A backend that is killed outright makes PostgreSQL end all others, recover
// from its log and come back.
func TestKillOfTheServer(t *testing.T) {
	own := pgtest.Own(t)
	whileApplied(t, own, func(t *testing.T, backend int) {
		t.Helper()
		if err := syscall.Kill(backend, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	})
}

// The whole of PostgreSQL is killed and started again.
func TestKillOfPostgreSQL(t *testing.T) {
	machine := pgtest.OwnMachine(t)
	whileApplied(t, machine.DB, func(t *testing.T, _ int) {
		t.Helper()
		machine.Kill(t)
		machine.Start(t)
	})
}

// whileApplied kills the server by a blow at each moment of an apply.
func whileApplied(t *testing.T, own pgtest.DB, blow func(t *testing.T, backend int)) {
	t.Helper()
	here = func(testing.TB) pgtest.DB { return own }
	t.Cleanup(func() { here = pgtest.Database })
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			houses := street(t, 4, steps[:m.from]...)
			m.held(t, houses[1])
			f, done := m.open(t), make(chan error, 1)
			go func() {
				_, err := f.Apply(context.Background(), fleet.Options{Parallel: 2})
				done <- err
			}()
			blow(t, m.come(t))
			if err := <-done; err == nil {
				t.Error("the apply did not notice")
			}
			back(t, own.SuperuserURL)
			m.finished(t, houses)
		})
	}
}

// back waits for a server to answer again.
func back(t *testing.T, url string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(t.Context(), url)
		if err == nil {
			conn.Close(t.Context())
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal(err)
		case <-tick.C:
		}
	}
}
