package pg

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/insulahq/insula/platform/pg/catalog"
	"github.com/insulahq/insula/platform/pg/migrate"
)

// moveLocks are the connections that hold the locks of a move, one in each
// database: of all moves of a schema from there or to there one works. The
// source is given up on one, the target made ready on the other: whoever has
// lost a lock cannot switch.
type moveLocks struct {
	source, target *pgxpool.Conn
	schema         string
}

// lost reports that a lock is gone with its connection.
func (l moveLocks) lost() bool { return l.source.Conn().IsClosed() || l.target.Conn().IsClosed() }

// alone runs fn while no other process moves the schema, or returns ErrTaken.
func (m *Mover) alone(ctx context.Context, schema string, fn func(held moveLocks) error) error {
	return lockedMove(ctx, m.from, schema, func(source *pgxpool.Conn) error {
		if err := m.Apart(ctx); err != nil {
			return err
		}
		return lockedMove(ctx, m.to, schema, func(target *pgxpool.Conn) error {
			return fn(moveLocks{source, target, schema})
		})
	})
}

// aloneThere is alone for what is left to do once the source has given the
// schema up: nobody needs it for that.
func (m *Mover) aloneThere(ctx context.Context, schema string, fn func(held moveLocks) error) error {
	return lockedMove(ctx, m.to, schema, func(target *pgxpool.Conn) error { return fn(moveLocks{target: target, schema: schema}) })
}

func lockedMove(ctx context.Context, c *Carrier, schema string, fn func(conn *pgxpool.Conn) error) error {
	return locked(ctx, c.m.pool, moveID(schema), func(conn *pgxpool.Conn) error {
		// Whoever had the lock before may have lost it in the middle of something.
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", aloneKey(fenceID(schema))); err != nil {
			return err
		}
		return fn(conn)
	})
}

func moveID(schema string) uuid.UUID  { return uuid.NewSHA1(uuid.Nil, []byte("move of "+schema)) }
func fenceID(schema string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte("fence of "+schema)) }

// fenced runs fn in a transaction at the target while the lock of this move is
// held there. A process that has stood still may find that another one has
// finished its work, and must not touch what tenants use by now. The next one
// to get the lock waits for the transactions that have come through here.
func (r *moveRun) fenced(ctx context.Context, db catalog.Beginner, fn func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock_shared($1)", aloneKey(fenceID(r.held.schema))); err != nil {
			return err
		}
		var ours bool
		key := uint64(aloneKey(moveID(r.held.schema)))
		const sql = `SELECT EXISTS (SELECT FROM pg_catalog.pg_locks
			WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
			  AND classid::bigint = $1 AND objid::bigint = $2 AND objsubid = 1 AND pid = $3 AND granted)`
		if err := tx.QueryRow(ctx, sql, int64(key>>32), int64(key&(1<<32-1)), int64(r.held.target.Conn().PgConn().PID())).Scan(&ours); err != nil {
			return err
		}
		if !ours {
			return ErrTaken
		}
		return fn(tx)
	})
}

// Apart refuses two databases that are one: Prepare and Undo would remove what
// is to be moved. Whatever the two are called, a lock that one session holds
// another one in the same database does not get.
func (m *Mover) Apart(ctx context.Context) error {
	return pgx.BeginFunc(ctx, m.from.m.pool, func(from pgx.Tx) error {
		var key int64
		const take = "SELECT k, pg_advisory_xact_lock(k) FROM (SELECT (random() * 9e18)::bigint AS k) AS one"
		if err := from.QueryRow(ctx, take).Scan(&key, nil); err != nil {
			return err
		}
		return pgx.BeginFunc(ctx, m.to.m.pool, func(to pgx.Tx) error {
			var free bool
			if err := to.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock($1)", key).Scan(&free); err != nil {
				return err
			}
			if !free {
				return ErrSameDatabase
			}
			return nil
		})
	})
}

// movedName is what the schema is called at the source once it has been given
// up.
func movedName(schema string) string { return "moved_" + schema }

// identity names the database that the tenant moves to, for its source.
func (m *Mover) identity(ctx context.Context) (name string, err error) {
	const sql = "SELECT system_identifier || '/' || d.oid FROM pg_control_system(), pg_catalog.pg_database d WHERE d.datname = current_database()"
	err = m.to.m.pool.QueryRow(ctx, sql).Scan(&name)
	return name, err
}

// Switched reports whether the source has given the schema up to this target.
// It waits for a switch that is under way, as one is whose process has just
// been killed: when it says no, none will be committed any more but by a Move
// that begins later. ErrMovedElsewhere says that another target has it.
func (m *Mover) Switched(ctx context.Context, schema string) (bool, error) {
	left, err := m.switched(ctx, schema)
	if err != nil {
		return false, fmt.Errorf("look for schema %s: %w", schema, err)
	}
	return left, nil
}

func (m *Mover) switched(ctx context.Context, schema string) (bool, error) {
	if keeps, err := m.from.Keeps(ctx, schema); err != nil || keeps {
		return false, err
	}
	var to string
	const sql = "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_catalog.pg_namespace WHERE nspname = $1"
	err := m.from.m.pool.QueryRow(ctx, sql, movedName(schema)).Scan(&to)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, ErrNotThere
	}
	if err != nil {
		return false, err
	}
	this, err := m.identity(ctx)
	if err == nil && to != this {
		err = ErrMovedElsewhere
	}
	return err == nil, err
}

// Keeps reports whether a database has a schema under its name, and has not
// given it up. It waits for a switch that is under way.
func (c *Carrier) Keeps(ctx context.Context, schema string) (bool, error) {
	err := pgx.BeginFunc(ctx, c.m.pool, func(tx pgx.Tx) error {
		// The window locks this table, too.
		history := pgx.Identifier{schema, migrate.RevisionTable}.Sanitize()
		return execAll(ctx, tx, []string{"SET LOCAL lock_timeout = '60s'", "LOCK TABLE " + history + " IN ROW EXCLUSIVE MODE"})
	})
	if replaced(err) {
		return false, nil
	}
	return err == nil, err
}

// HasGivenUp reports whether a database has a schema that it has given up to
// another one, whichever that is.
func (c *Carrier) HasGivenUp(ctx context.Context, schema string) (there bool, err error) {
	const sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)"
	err = c.m.pool.QueryRow(ctx, sql, movedName(schema)).Scan(&there)
	return there, err
}
