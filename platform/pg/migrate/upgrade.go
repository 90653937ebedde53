package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Record is called in each transaction of an Upgrade, before it commits, with the version that the schema then has
// ("" before the first).
type Record func(tx pgx.Tx, version string) error

// Upgrade brings a tenant's schema that is in use to the newest version and returns the versions it applied. What
// can run in a transaction does, with record in the same one; a file that must not runs statement by statement
// between two of them. After a failure, or a kill, the schema is at the version that record last heard of, with at
// most a part of such a file behind it, and Upgrade goes on from there. Errors of the history are those of Apply.
func (d *Dir) Upgrade(ctx context.Context, conn *pgx.Conn, schema string, record Record) ([]string, error) {
	var applied []string
	for {
		done, next, err := d.stretch(ctx, conn, schema, record)
		applied = append(applied, done...)
		if err == nil && next != nil {
			if err = d.outside(ctx, conn, schema, *next); err == nil {
				applied = append(applied, next.version)
				continue
			}
		}
		if err != nil {
			return applied, fmt.Errorf("migrate schema %s: %w", schema, err)
		}
		return applied, nil
	}
}

// stretch runs, in one transaction, the missing files up to the first that must run outside, which it returns.
func (d *Dir) stretch(ctx context.Context, conn *pgx.Conn, schema string, record Record) (done []string, next *file, err error) {
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		r := run{dir: d, tx: tx, history: revisionsIn(schema), searchPath: pgx.Identifier{schema}.Sanitize()}
		start, pending, err := r.begin(ctx, schema)
		if err != nil {
			return err
		}
		n := 0
		for n < len(pending) && !pending[n].alone {
			n++
		}
		if n < len(pending) {
			next = &pending[n]
		}
		if err := r.files(ctx, pending[:n], start); err != nil {
			return err
		}
		done = versions(pending[:n])
		return record(tx, d.before(len(d.files)-len(pending)+n))
	})
	if err != nil {
		return nil, nil, err
	}
	return done, next, nil
}

// before is the version of a schema that has had the first n migrations.
func (d *Dir) before(n int) string {
	if n == 0 {
		return ""
	}
	return d.files[n-1].version
}

// outside runs one file statement by statement. On an error the connection is closed: it then keeps neither the
// lock nor the search path.
func (d *Dir) outside(ctx context.Context, conn *pgx.Conn, schema string, f file) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := take(ctx, conn, "SELECT pg_try_advisory_lock($1)", schema); err != nil {
		return err
	}
	path := pgx.Identifier{schema}.Sanitize()
	if _, err := conn.Exec(ctx, "SELECT set_config('search_path', $1, false)", path); err != nil {
		return fmt.Errorf("set the search path: %w", err)
	}
	if err := d.steps(ctx, conn, revisionsIn(schema), f); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "RESET search_path"); err != nil {
		return fmt.Errorf("reset the search path: %w", err)
	}
	_, err = conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", lockKey(schema))
	return err
}

func (d *Dir) steps(ctx context.Context, conn *pgx.Conn, history revisions, f file) error {
	done, err := history.begin(ctx, conn, f)
	if err != nil {
		return err
	}
	for i, s := range f.stmts {
		if i < done {
			continue
		}
		if err := indexStepOf(s.Text).run(ctx, conn); err != nil {
			return fmt.Errorf("%s, line %d: %w", f.name, f.line(s), err)
		}
		if err := history.step(ctx, conn, f, i+1); err != nil {
			return err
		}
	}
	return nil
}

// run does the step unless that was done before it could be recorded. An index that an interrupted step left
// behind, invalid, is dropped first.
func (s indexStep) run(ctx context.Context, conn *pgx.Conn) error {
	var exists, valid bool
	const look = `SELECT to_regclass($1) IS NOT NULL,
		coalesce((SELECT indisvalid FROM pg_catalog.pg_index WHERE indexrelid = to_regclass($1)), false)`
	if err := conn.QueryRow(ctx, look, s.name).Scan(&exists, &valid); err != nil {
		return fmt.Errorf("look for index %s: %w", s.name, err)
	}
	switch {
	case s.drop && !exists, !s.drop && exists && valid:
		return nil
	case !s.drop && exists:
		if _, err := conn.Exec(ctx, "DROP INDEX CONCURRENTLY "+s.name); err != nil {
			return fmt.Errorf("drop what is left of index %s: %w", s.name, err)
		}
	}
	_, err := conn.Exec(ctx, s.sql)
	return err
}
