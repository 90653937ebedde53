package pg_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
)

// A server that is killed at any stage of a move, on either side, comes back,
// and the move goes on from what was kept last, or is undone: what was
// acknowledged is there.
func TestAMoveOutlivesItsServers(t *testing.T) {
	t.Parallel()
	source, target := pgtest.OwnMachine(t), pgtest.OwnMachine(t)
	stages := []pg.MoveStage{
		pg.MovePrepares, pg.MoveCopies, pg.MoveCatchesUp, pg.MoveChecks,
		pg.MoveLocks, pg.MoveInWindow, pg.MoveSwitches, pg.MoveOpens, pg.MoveCleans,
	}
	for name, killed := range map[string]*pgtest.Machine{"source": source, "target": target} {
		for i, stage := range stages {
			t.Run(fmt.Sprintf("%s while %s", name, stage), func(t *testing.T) {
				r := newZoo(t, source.DB, target.DB, pg.MoveOptions{})
				newKeeper(t, r, 4)
				r.killedAt(t, killed, stage)
				r.finished(t, (i%2 == 0) == (killed == source))
			})
		}
	}
}

// killedAt begins a move and kills a server when it comes to a stage.
func (r *removal) killedAt(t *testing.T, m *pgtest.Machine, stage pg.MoveStage) {
	t.Helper()
	killed := false
	r.at = func(p pg.MoveProgress) {
		if p.Stage == stage && !killed {
			killed = true
			m.Kill(t)
		}
	}
	_, err := r.move(t.Context())
	if stage == pg.MoveCleans {
		if err == nil {
			err = r.mover.Clean(t.Context(), r.kept, r.hooks())
		}
	}
	if !killed {
		t.Fatalf("it did not come to that: %v", err)
	}
	// Opening is the business of the registries; the mover itself needs nobody then.
	if err == nil && stage != pg.MoveOpens {
		t.Error("nobody noticed")
	}
	r.at = nil
	m.Start(t)
}

// finished brings a move to its end, and undoes it first when it may be and can
// be.
func (r *removal) finished(t *testing.T, undo bool) {
	t.Helper()
	if undo {
		err := reconnected(func() error { return r.mover.Undo(t.Context(), r.schema) })
		switch {
		case err == nil:
			r.undone(t)
			r.kept = pg.Moving{Schema: r.schema}
		case !errors.Is(err, pg.ErrMoveSwitched):
			t.Fatal(err)
		}
	}
	err := reconnected(func() error {
		_, err := r.move(t.Context())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r.same(t)
	if err := reconnected(func() error { return r.mover.Clean(t.Context(), r.kept, r.hooks()) }); err != nil {
		t.Fatal(err)
	}
	if left := r.traces(t, r.from); left != 0 {
		t.Errorf("%d things are left at the source", left)
	}
}

// reconnected repeats what fails because a connection is of the time before a
// server was killed.
func reconnected(do func() error) (err error) {
	for range 20 {
		if err = do(); err == nil || errors.Is(err, pg.ErrMoveSwitched) {
			break
		}
	}
	return err
}

// Once it is kept that the source has given the tenant up, the target lets it
// in while the source is away, as it may be for ever.
func TestASwitchedMoveNeedsNoSource(t *testing.T) {
	t.Parallel()
	source := pgtest.OwnMachine(t)
	r := newZoo(t, source.DB, pgtest.Elsewhere(t).DB, pg.MoveOptions{})
	newKeeper(t, r, 6)
	away := errors.New("the registry is away")
	r.fail = func(hook string) error {
		if hook == "open" {
			return away
		}
		return nil
	}
	if _, err := r.move(t.Context()); !errors.Is(err, away) || r.kept.Step != pg.MoveSwitched {
		t.Fatalf("got %v, kept %+v", err, r.kept)
	}
	source.Kill(t)
	opened := 0
	r.fail = func(hook string) error {
		if hook == "open" {
			opened++
		}
		return nil
	}
	told, err := r.move(t.Context())
	if err != nil || opened != 1 || r.kept.Step != pg.MoveCleaning || told.Rows == 0 || told.Bytes == 0 {
		t.Errorf("without the source: %v, opened %d times, told %+v, kept %+v", err, opened, told, r.kept)
	}
	if again, err := r.move(t.Context()); err != nil || opened != 1 || again.Rows != told.Rows || again.Bytes != told.Bytes || again.Window != r.kept.Window {
		t.Errorf("once more: %v, opened %d times, told %+v", err, opened, again)
	}
	if err := r.mover.Clean(t.Context(), r.kept, r.hooks()); err == nil || r.kept.Step != pg.MoveCleaning {
		t.Errorf("cleaned up at a source that is away: %v, kept %+v", err, r.kept)
	}
	source.Start(t)
	r.same(t)
	if err := reconnected(func() error { return r.mover.Clean(t.Context(), r.kept, r.hooks()) }); err != nil {
		t.Error(err)
	}
}
