package pg

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
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
		// What an earlier move from there has left goes, too: its note is gone with the beginning of this one.
		return errors.Join(m.to.Remove(ctx, schema), m.to.Remove(ctx, movedName(schema)))
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
	return r.to.lookAt(ctx, r.state.Schema, func(k foreignKey) bool {
		return slices.ContainsFunc(before, func(b foreignKey) bool { return b.Table == k.Table && b.Name == k.Name && !b.Valid })
	})
}

// lookAt looks at the foreign keys of a schema that nobody has looked at, but for
// those that are not known to hold.
func (c *Carrier) lookAt(ctx context.Context, schema string, unknown func(k foreignKey) bool) error {
	now, err := foreignKeysIn(ctx, c.m.pool, schema)
	if err != nil {
		return err
	}
	for _, k := range now {
		if k.Valid || unknown(k) {
			continue
		}
		if _, err := c.m.pool.Exec(ctx, k.look(schema)); err != nil {
			return fmt.Errorf("foreign key %s of %s: %w", k.Name, k.Table, err)
		}
	}
	return nil
}

// Settle does what Clean does at the target, for a move whose source is gone for
// good: all foreign keys of the schema are looked at.
func (c *Carrier) Settle(ctx context.Context, schema string) error {
	return c.lookAt(ctx, schema, func(foreignKey) bool { return false })
}

// Sweep removes what a move that was given up has left of a schema in a
// database that did not answer then: under its name, or under the one that it
// has been put away by. It is ErrTaken while a move works on the schema there,
// and ErrServed when tenants use it. First is called when that can not change
// any more; nothing is done unless it says so.
func (c *Carrier) Sweep(ctx context.Context, schema string, first func() (bool, error)) error {
	return lockedMove(ctx, c, schema, func(*pgxpool.Conn) error {
		if wanted, err := first(); err != nil || !wanted {
			return err
		}
		return errors.Join(c.m.Drop(ctx, movedName(schema), nil), c.m.Drop(ctx, schema, nil))
	})
}
