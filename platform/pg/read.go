package pg

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
)

// readTx runs each statement in a transaction of its own that is opened,
// walled, read and closed in one round trip. Between statements it holds no
// connection.
type readTx struct {
	common
	unit *unit
	// opening is the statement that lets one row be read, listing the one that
	// lets rows be read by filters that vary.
	opening, listing string
	over             bool
}

func (t *readTx) end() { t.over = true }

func (t *readTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	rows, err := t.Query(ctx, sql, args...)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	rows.Close()
	return rows.CommandTag(), rows.Err()
}

// QueryRow reads in company if it can.
func (t *readTx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	search := search{unit: t.unit, opening: t.opening}
	if t.unit.tenant != nil && !t.unit.shards.pooled && !t.over && t.opening == pgdb.OpenRead {
		if r := t.quick(ctx, sql, args); !r.slow {
			if !astray(r.err) {
				return r
			}
			if err := search.after(ctx, r.err); err != nil {
				return failedRow{err}
			}
		}
	}
	rows, err := t.rows(ctx, &search, sql, args)
	if err != nil {
		return failedRow{err}
	}
	return oneRow{rows}
}

// quick reads within the share of the tenant, as a connection of its own would.
func (t *readTx) quick(ctx context.Context, sql string, args []any) *quick {
	doors, tenant := t.unit.shards.doors, *t.unit.tenant
	share := doors.of(tenant)
	r := &quick{ctx: ctx, tenant: tenant, ahead: t.unit.ahead, sql: sql, args: args}
	r.opening, r.open = t.unit.quickOpening(share)
	if r.err = doors.enter(ctx, tenant, share); r.err != nil {
		return r
	}
	defer doors.leave(tenant)
	return t.unit.shards.read(r)
}

func (t *readTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return t.rows(ctx, &search{unit: t.unit, opening: t.listing}, sql, args)
}

// rows runs a statement, wherever the tenant is by now.
func (t *readTx) rows(ctx context.Context, s *search, sql string, args []any) (pgx.Rows, error) {
	if t.over {
		return nil, errFinished
	}
	for {
		rows, err := t.try(ctx, s.opening, sql, args)
		if stale(err) {
			rows, err = t.try(ctx, s.opening, sql, args)
		}
		if err == nil {
			return rows, nil
		}
		if err = s.after(ctx, err); err != nil {
			return nil, err
		}
	}
}

func (t *readTx) try(ctx context.Context, opening, sql string, args []any) (pgx.Rows, error) {
	c, err := t.unit.shards.acquire(ctx, t.unit.tenant)
	if err != nil {
		return nil, err
	}
	rows, err := t.query(ctx, c, opening, sql, args)
	switch {
	case stale(err):
		c.discard(ctx)
	case err != nil:
		c.Release()
	}
	return rows, err
}

func (t *readTx) query(ctx context.Context, c *conn, opening, sql string, args []any) (pgx.Rows, error) {
	if t.unit.tenant == nil {
		rows, err := c.Query(ctx, sql, args...)
		if err != nil {
			return nil, err
		}
		return &heldRows{Rows: rows, done: c.Release}, nil
	}
	text := c.text(*t.unit.tenant, sql)
	if c.session().has(text) {
		rows, err := t.pipelined(ctx, c, opening, text, args)
		if err == nil || !forgotten(err) {
			return rows, err
		}
		c.session().forget(text)
	}
	return t.stepwise(ctx, c, opening, text, args)
}

// pipelined sends the opening and the statement together. Without an explicit
// BEGIN both are one implicit transaction that ends with the batch.
func (t *readTx) pipelined(ctx context.Context, c *conn, opening, sql string, args []any) (pgx.Rows, error) {
	batch := &pgx.Batch{}
	batch.Queue(opening, t.unit.opening(c.share)...)
	batch.Queue(sql, args...)
	results := c.SendBatch(ctx, batch)
	if err := walled(results); err != nil {
		results.Close()
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		results.Close()
		return nil, err
	}
	return &heldRows{Rows: rows, done: func() { results.Close(); c.Release() }}, nil
}

// stepwise is for the first time a connection meets a statement: it is
// prepared inside the walled transaction.
func (t *readTx) stepwise(ctx context.Context, c *conn, opening, sql string, args []any) (pgx.Rows, error) {
	if err := c.session().tidy(ctx, c.Conn.Conn()); err != nil {
		return nil, err
	}
	if err := begin(ctx, c.Conn.Conn(), opening, t.unit.opening(c.share)); err != nil {
		return nil, err
	}
	err := c.session().prepare(ctx, c.Conn.Conn(), sql)
	var rows pgx.Rows
	if err == nil {
		rows, err = c.Query(ctx, sql, args...)
	}
	if err != nil {
		abandon(ctx, c.Conn.Conn())
		return nil, err
	}
	return &heldRows{Rows: rows, done: func() {
		abandon(ctx, c.Conn.Conn()) // nothing was written
		c.Release()
	}}, nil
}

// walled reads the answer of an opening statement.
func walled(results pgx.BatchResults) error {
	tag, err := results.Exec()
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return errClosed
	}
	return nil
}

// forgotten reports that a statement believed to be prepared was not, and the
// server had to describe it outside the wall. Nothing has run then.
func forgotten(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return false
	}
	switch pe.Code {
	case "42P01", "3F000", "42501", "42883", "0A000", "26000":
		return true
	}
	return false
}

// heldRows gives back its connection once it is read.
type heldRows struct {
	pgx.Rows
	done   func()
	closed bool
}

func (r *heldRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *heldRows) Close() {
	if r.closed {
		return
	}
	r.closed = true
	r.Rows.Close()
	r.done()
}

// oneRow reads the first row, as pgx.Row does.
type oneRow struct{ rows pgx.Rows }

func (r oneRow) Scan(dest ...any) error {
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return pgx.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
