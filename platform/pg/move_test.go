package pg_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// holdsNobodyUp tells the stages in which anybody may write.
func holdsNobodyUp(s pg.MoveStage) bool {
	return s == pg.MovePrepares || s == pg.MoveCopies || s == pg.MoveCatchesUp || s == pg.MoveChecks
}

// Whatever is changed while a zoo moves is changed at the target, too.
func TestAMoveMissesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newZoo(t, pgtest.Database(t), pgtest.Elsewhere(t).DB, pg.MoveOptions{})
			k := newKeeper(t, r, seed)
			r.at = func(p pg.MoveProgress) {
				if holdsNobodyUp(p.Stage) {
					k.work()
				}
			}
			told, err := r.move(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if told.Rounds < 3 || told.Rows == 0 || told.Bytes == 0 || told.Window <= 0 {
				t.Errorf("told %+v", told)
			}
			if r.kept.Step != pg.MoveCleaning || r.kept.Window != told.Window {
				t.Errorf("kept %+v", r.kept)
			}
			r.same(t)
			r.cleaned(t)
		})
	}
}

// cleaned cleans up and looks that nothing is left, and that the target is as
// its version declares it and enforces its foreign keys.
func (r *removal) cleaned(t *testing.T) {
	t.Helper()
	for range 2 {
		if err := r.mover.Clean(t.Context(), r.kept, r.hooks()); err != nil {
			t.Fatal(err)
		}
	}
	if r.kept.Step != pg.MoveOver {
		t.Errorf("kept %+v", r.kept)
	}
	if left := r.traces(t, r.from); left != 0 {
		t.Errorf("%d things are left at the source", left)
	}
	back := newRemoval(t, r.to, r.from, r.schema, zooMigrations(t), pg.MoveOptions{})
	if _, err := back.move(t.Context()); err != nil { // ErrDrift, if a constraint were not as it was
		t.Errorf("the way back: %v", err)
	}
	conn := r.connect(t, r.from)
	if _, err := conn.Exec(t.Context(), "INSERT INTO animals (id, name, mother) VALUES (-1, 'orphan', -2)"); err == nil {
		t.Error("a foreign key is missing")
	}
	if err := back.mover.Clean(t.Context(), back.kept, back.hooks()); err != nil {
		t.Error(err)
	}
	if left := r.traces(t, r.to); left != 0 {
		t.Errorf("%d things are left after the way back", left)
	}
}

func zooMigrations(t *testing.T) fstest.MapFS {
	t.Helper()
	tenant, err := pgtest.Migrations(map[int64]string{20260101000000: zooTables})
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

// traces counts what a database has of the schema: under its name, put away,
// and the role.
func (r *removal) traces(t *testing.T, db pgtest.DB) (n int) {
	t.Helper()
	err := r.connect(t, db).QueryRow(t.Context(), `SELECT (SELECT count(*) FROM pg_namespace WHERE nspname IN ($1, $2))
		+ (SELECT count(*) FROM pg_roles WHERE rolname = $1)`, r.schema, "moved_"+r.schema).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Two databases of one server share the roles: the tenant's is there already,
// and stays until it is needed nowhere.
func TestAMoveWithinOneServer(t *testing.T) {
	t.Parallel()
	r := newZoo(t, pgtest.Database(t), pgtest.Beside(t).DB, pg.MoveOptions{})
	k := newKeeper(t, r, 5)
	r.at = func(p pg.MoveProgress) {
		if holdsNobodyUp(p.Stage) {
			k.work()
		}
	}
	if _, err := r.move(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.same(t)
	if err := r.mover.Clean(t.Context(), r.kept, r.hooks()); err != nil {
		t.Fatal(err)
	}
	if left := r.traces(t, r.from); left != 1 {
		t.Errorf("%d things are left at the source, want the role", left)
	}
	back := newRemoval(t, r.to, r.from, r.schema, zooMigrations(t), pg.MoveOptions{})
	if _, err := back.move(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := back.mover.Clean(t.Context(), back.kept, back.hooks()); err != nil {
		t.Fatal(err)
	}
	if err := carrierOf(t, r.from, nil).Remove(t.Context(), r.schema); err != nil {
		t.Fatal(err)
	}
	if left := r.traces(t, r.from); left != 0 {
		t.Errorf("%d things are left in the end", left)
	}
}

// A transaction that began before the copy and is committed after it is older
// than all that the copy has seen. What it wrote comes along.
func TestAMoveWaitsForWhoBeganEarly(t *testing.T) {
	t.Parallel()
	r := newZoo(t, pgtest.Database(t), pgtest.Elsewhere(t).DB, pg.MoveOptions{})
	newKeeper(t, r, 1)
	early := begun(t, r, -1)
	late := begun(t, r, -2)
	rounds := 0
	r.at = func(p pg.MoveProgress) {
		switch {
		case p.Stage == pg.MoveCatchesUp && p.Round > rounds:
			if rounds = p.Round; rounds == 2 { // the first has not seen it
				early()
			}
		case p.Stage == pg.MoveLocks && p.Round == 2: // the first attempt waited in vain
			late()
		}
	}
	told, err := r.move(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if told.Attempts < 2 {
		t.Errorf("%d attempts under an open transaction", told.Attempts)
	}
	r.same(t)
	var n int
	if err := r.connect(t, r.to).QueryRow(t.Context(), "SELECT count(*) FROM animals WHERE id < 0").Scan(&n); err != nil || n != 4 {
		t.Errorf("%d of 4 rows arrived, %v", n, err)
	}
}

// begun is a transaction that has written, within a savepoint and outside, and
// waits to be committed.
func begun(t *testing.T, r *removal, id int) (commit func()) {
	t.Helper()
	tx, err := r.connect(t, r.from).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	insert := func(id int) string {
		return fmt.Sprintf("INSERT INTO animals (id, name) VALUES (%d, 'early %d')", id, id)
	}
	for _, sql := range []string{"SAVEPOINT a", insert(id), "RELEASE a", "SAVEPOINT b", insert(10 * id), "ROLLBACK TO b", insert(100 * id)} {
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := tx.Commit(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// Somebody who does not end keeps the tenant where it is.
func TestAMoveGivesUpWhenTheTenantIsBusy(t *testing.T) {
	t.Parallel()
	r := newZoo(t, pgtest.Database(t), pgtest.Elsewhere(t).DB, pg.MoveOptions{Attempts: 3, LockWait: 20e6})
	newKeeper(t, r, 1)
	commit := begun(t, r, -1)
	if _, err := r.move(t.Context()); !errors.Is(err, pg.ErrMoveBusy) {
		t.Errorf("got %v", err)
	}
	commit()
	if _, err := r.move(t.Context()); err != nil {
		t.Error(err)
	}
	r.same(t)
}

// A window that takes too long ends without a trace.
func TestAWindowIsBounded(t *testing.T) {
	t.Parallel()
	r := newZoo(t, pgtest.Database(t), pgtest.Elsewhere(t).DB, pg.MoveOptions{Attempts: 2, Window: 1})
	newKeeper(t, r, 1)
	if _, err := r.move(t.Context()); !errors.Is(err, pg.ErrMoveBusy) {
		t.Errorf("got %v", err)
	}
	r.undone(t)
}

// A table of the target that somebody looks after in the window is waited for
// in the next.
func TestAWindowIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newZoo(t, pgtest.Database(t), pgtest.Elsewhere(t).DB, pg.MoveOptions{LockWait: 50e6})
	newKeeper(t, r, 1)
	vacuum := r.connect(t, r.to)
	run := func(sql string) {
		if _, err := vacuum.Exec(t.Context(), sql); err != nil {
			t.Error(err)
		}
	}
	r.at = func(p pg.MoveProgress) {
		switch {
		case p.Stage == pg.MoveInWindow && vacuum.PgConn().TxStatus() == 'I':
			run("BEGIN; LOCK TABLE animals IN SHARE UPDATE EXCLUSIVE MODE")
		case p.Stage == pg.MoveLocks && p.Round == 2:
			run("ROLLBACK")
			r.at = nil
		}
	}
	told, err := r.move(t.Context())
	if err != nil || told.Attempts != 2 {
		t.Fatalf("%+v, %v", told, err)
	}
	r.same(t)
}

// A process that stands still, loses its connections and wakes up when another
// one has moved the tenant touches nothing any more.
func TestALateMoverTouchesNothing(t *testing.T) {
	t.Parallel()
	for _, stop := range []string{"after a table", "before a round"} {
		t.Run(stop, func(t *testing.T) {
			r := newZoo(t, pgtest.Database(t), pgtest.Elsewhere(t).DB, pg.MoveOptions{})
			newKeeper(t, r, 1)
			stands, wake, late := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			sleep := sync.OnceFunc(func() {
				close(stands)
				<-wake
			})
			kept := 0
			r.fail = func(string) error {
				if kept++; kept == 2 && stop == "after a table" { // the first time there is none
					sleep()
				}
				return nil
			}
			r.at = func(p pg.MoveProgress) {
				if p.Stage == pg.MoveCatchesUp {
					sleep()
				}
			}
			go func() {
				_, err := r.move(t.Context())
				late <- err
			}()
			<-stands
			r.cutOff(t)
			other := newRemoval(t, r.from, r.to, r.schema, zooMigrations(t), pg.MoveOptions{})
			if _, err := other.move(t.Context()); err != nil {
				t.Fatal(err)
			}
			close(wake)
			if err := <-late; err == nil {
				t.Error("the late one did not notice")
			}
			other.same(t)
		})
	}
}

// TestAServedTargetIsNotTouched: the registry of the source was put back to a
// time before the move, which has long been over. What tenants use at the target
// since then is newer.
func TestAServedTargetIsNotTouched(t *testing.T) {
	t.Parallel()
	r := newZoo(t, pgtest.Database(t), pgtest.Elsewhere(t).DB, pg.MoveOptions{})
	newKeeper(t, r, 4)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r.at = func(p pg.MoveProgress) {
		if p.Stage == pg.MoveCatchesUp {
			stop()
		}
	}
	if _, err := r.move(ctx); err == nil {
		t.Fatal("it did not stop")
	}
	r.at = nil
	registry, id := superuser(t, r.to.SuperuserURL), uuid.Must(uuid.NewV7())
	mustExec(t, registry, `INSERT INTO control.tenants (id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, schema_version, placement)
		VALUES ($1, 'served', 'Served', 'customer', 'active', $2, 'ada@example.com', 1, now(), now(), 1, $3)`, id, r.schema, tenancy.MainPlacement)
	_, err := r.move(t.Context())
	mustExec(t, registry, "DELETE FROM control.tenants WHERE id = $1", id)
	if !errors.Is(err, pg.ErrServed) {
		t.Errorf("got %v", err)
	}
}

// cutOff ends the connections that hold the locks of a move.
func (r *removal) cutOff(t *testing.T) {
	t.Helper()
	for _, db := range []pgtest.DB{r.from, r.to} {
		var ended int
		err := r.connect(t, db).QueryRow(t.Context(), `SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_locks
			WHERE locktype = 'advisory' AND (classid::bigint << 32) | objid::bigint = $1`, pg.MoveKey(r.schema)).Scan(&ended)
		if err != nil || ended != 1 {
			t.Fatalf("%d connections ended, %v", ended, err)
		}
	}
}

// undone undoes a move and looks that the source goes on as it was.
func (r *removal) undone(t *testing.T) {
	t.Helper()
	for range 2 {
		if err := r.mover.Undo(t.Context(), r.schema); err != nil {
			t.Fatal(err)
		}
	}
	if left := r.traces(t, r.to); left != 0 {
		t.Errorf("%d things are left at the target", left)
	}
	if _, err := r.connect(t, r.from).Exec(t.Context(), "INSERT INTO empty SELECT coalesce(max(id), 0) + 1 FROM empty"); err != nil {
		t.Errorf("the source: %v", err)
	}
}

// A failure at any step leaves the source as it is, up to the switch, and the
// target from there on; the next attempt goes on.
func TestAMoveFailsAtEachStep(t *testing.T) {
	t.Parallel()
	failure := errors.New("as the test wants it")
	for _, hook := range []string{"keep copying", "arrive", "leave", "open", "keep cleaning"} {
		t.Run(hook, func(t *testing.T) {
			r := newZoo(t, pgtest.Database(t), pgtest.Elsewhere(t).DB, pg.MoveOptions{})
			newKeeper(t, r, 2)
			r.fail = func(h string) error {
				if h == hook {
					return failure
				}
				return nil
			}
			if _, err := r.move(t.Context()); !errors.Is(err, failure) {
				t.Fatalf("got %v", err)
			}
			r.fail = nil
			switched, err := r.mover.Switched(t.Context(), r.schema)
			if after := hook == "open" || hook == "keep cleaning"; err != nil || switched != after {
				t.Errorf("switched: %v, %v", switched, err)
			}
			if switched {
				if err := r.mover.Undo(t.Context(), r.schema); !errors.Is(err, pg.ErrMoveSwitched) {
					t.Errorf("undo: %v", err)
				}
			} else {
				r.undone(t)
				r.kept = pg.Moving{Schema: r.schema}
			}
			if _, err := r.move(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.same(t)
			r.cleaned(t)
		})
	}
}

// A process that stops at any stage is followed by one that goes on where it
// was, while everybody goes on writing.
func TestAMoveGoesOn(t *testing.T) {
	t.Parallel()
	stages := []pg.MoveStage{pg.MovePrepares, pg.MoveCopies, pg.MoveCatchesUp, pg.MoveChecks, pg.MoveLocks, pg.MoveInWindow, pg.MoveSwitches, pg.MoveOpens}
	for _, stage := range stages {
		t.Run(string(stage), func(t *testing.T) {
			r := newZoo(t, pgtest.Database(t), pgtest.Elsewhere(t).DB, pg.MoveOptions{})
			k := newKeeper(t, r, 3)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			r.at = func(p pg.MoveProgress) {
				if p.Stage == stage {
					stop()
				}
			}
			_, err := r.move(ctx)
			if forward := stage == pg.MoveOpens; forward != (err == nil) {
				t.Fatalf("got %v", err) // who has switched opens, too
			}
			if err != nil {
				before := len(r.kept.Copied)
				k.work()
				r.at = func(p pg.MoveProgress) {
					if holdsNobodyUp(p.Stage) {
						k.work()
					}
				}
				if _, err := r.move(t.Context()); err != nil {
					t.Fatal(err)
				}
				if later := stage != pg.MovePrepares && stage != pg.MoveCopies; later && before != len(zoo) {
					t.Errorf("%d tables would have been copied again", len(zoo)-before)
				}
			}
			r.same(t)
			r.cleaned(t)
		})
	}
}

func TestWhatIsNotMoved(t *testing.T) {
	t.Parallel()
	db := pgtest.Database(t)
	t.Run("to where it is", func(t *testing.T) {
		r := newZoo(t, db, db, pg.MoveOptions{})
		newKeeper(t, r, 1)
		if _, err := r.move(t.Context()); !errors.Is(err, pg.ErrSameDatabase) {
			t.Errorf("got %v", err)
		}
		if err := r.mover.Undo(t.Context(), r.schema); !errors.Is(err, pg.ErrSameDatabase) {
			t.Errorf("undo: %v", err)
		}
		if left := r.traces(t, db); left != 2 {
			t.Errorf("%d things are left of it", left)
		}
	})
	t.Run("what is not there", func(t *testing.T) {
		r := newRemoval(t, db, pgtest.Elsewhere(t).DB, "t_nowhere", nil, pg.MoveOptions{})
		if _, err := r.move(t.Context()); !errors.Is(err, pg.ErrNotThere) {
			t.Errorf("got %v", err)
		}
		if err := r.mover.Undo(t.Context(), r.schema); err != nil {
			t.Errorf("undo: %v", err)
		}
	})
	t.Run("what has gone to another", func(t *testing.T) {
		r := newZoo(t, db, pgtest.Elsewhere(t).DB, pg.MoveOptions{})
		newKeeper(t, r, 1)
		if _, err := r.move(t.Context()); err != nil {
			t.Fatal(err)
		}
		other := newRemoval(t, db, pgtest.Beside(t).DB, r.schema, zooMigrations(t), pg.MoveOptions{})
		if _, err := other.move(t.Context()); !errors.Is(err, pg.ErrMovedElsewhere) {
			t.Errorf("got %v", err)
		}
		if err := other.mover.Undo(t.Context(), r.schema); err != nil {
			t.Errorf("undo: %v", err)
		}
		r.same(t)
	})
	t.Run("what drifted", func(t *testing.T) {
		r := newZoo(t, db, pgtest.Elsewhere(t).DB, pg.MoveOptions{})
		if _, err := r.connect(t, db).Exec(t.Context(), "ALTER TABLE empty ADD COLUMN x text"); err != nil {
			t.Fatal(err)
		}
		if _, err := r.move(t.Context()); !errors.Is(err, pg.ErrDrift) {
			t.Errorf("got %v", err)
		}
		r.undone(t)
	})
	t.Run("what has no key", func(t *testing.T) {
		tenant, err := pgtest.Migrations(map[int64]string{20260101000000: "CREATE TABLE loose (id integer);"})
		if err != nil {
			t.Fatal(err)
		}
		id := uuid.New()
		r := newRemoval(t, db, pgtest.Elsewhere(t).DB, fmt.Sprintf("t_%x", id[:]), tenant, pg.MoveOptions{})
		m, err := pg.OpenMigrator(t.Context(), db.MigratorURL, fstest.MapFS{}, tenant)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		err = m.Provision(t.Context(), pg.Provisioning{
			Schema: r.schema,
			Claim:  func(context.Context, uow.Tx) (bool, error) { return true, nil },
		}, func(uow.Tx) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.move(t.Context()); !errors.Is(err, pg.ErrNoKey) {
			t.Errorf("got %v", err)
		}
	})
}
