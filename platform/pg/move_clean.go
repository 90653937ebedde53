package pg

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// ErrMoveSwitched refuses to undo a move whose source has been given up: there
// is only the way forward.
var ErrMoveSwitched = errors.New("the tenant has been moved")

// Undo removes what a move has made at the target. Nothing has changed at the
// source, or there is nothing any more. It may be called again. ErrServed keeps
// what the target's registry says is served there.
func (m *Mover) Undo(ctx context.Context, schema string) error {
	return m.alone(ctx, schema, func(moveLocks) error {
		left, err := m.Switched(ctx, schema)
		if err != nil && !errors.Is(err, ErrNotThere) && !errors.Is(err, ErrMovedElsewhere) {
			return err
		}
		if left {
			return fmt.Errorf("schema %s: %w", schema, ErrMoveSwitched)
		}
		return m.to.Remove(ctx, schema)
	})
}

// Clean removes what a moved tenant has left at the source, after the target
// has looked whether all its rows obey its foreign keys. It may be called
// again, and ends with the step MoveOver kept.
func (m *Mover) Clean(ctx context.Context, state Moving, hooks MoveHooks) error {
	r := &moveRun{Mover: m, hooks: hooks, state: state}
	switch state.Step {
	case MoveOver:
		return nil
	case MoveCleaning:
	default:
		return fmt.Errorf("clean up after schema %s: it has not been moved", state.Schema)
	}
	r.progress(MoveProgress{Stage: MoveCleans})
	err := m.alone(ctx, state.Schema, func(moveLocks) error { return r.clean(ctx) })
	if err != nil {
		return fmt.Errorf("clean up after schema %s: %w", state.Schema, err)
	}
	r.state.Step = MoveOver
	return r.keep(ctx)
}

func (r *moveRun) clean(ctx context.Context) error {
	if err := r.look(ctx); err != nil {
		return err
	}
	if err := r.from.m.Drop(ctx, movedName(r.state.Schema), nil); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, r.from.m.pool, func(tx pgx.Tx) error {
		var back bool
		const sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)"
		if err := tx.QueryRow(ctx, sql, r.state.Schema).Scan(&back); err != nil || back {
			return err
		}
		return dropRole(ctx, tx, r.state.Schema)
	})
}

// look has the target look at the foreign keys that the source knew to hold.
func (r *moveRun) look(ctx context.Context) error {
	before, err := foreignKeysIn(ctx, r.from.m.pool, movedName(r.state.Schema))
	if err != nil {
		return err
	}
	now, err := foreignKeysIn(ctx, r.to.m.pool, r.state.Schema)
	if err != nil {
		return err
	}
	for _, k := range now {
		unknown := slices.ContainsFunc(before, func(b foreignKey) bool { return b.Table == k.Table && b.Name == k.Name && !b.Valid })
		if k.Valid || unknown {
			continue
		}
		if _, err := r.to.m.pool.Exec(ctx, k.look(r.state.Schema)); err != nil {
			return fmt.Errorf("foreign key %s of %s: %w", k.Name, k.Table, err)
		}
	}
	return nil
}
