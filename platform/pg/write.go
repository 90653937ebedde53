package pg

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// writeTx begins with its first statement, in one round trip with it, so a
// body that fails before it touches data costs nothing.
type writeTx struct {
	common
	unit    *unit
	opening string // which statuses let it in
	conn    *conn
	over    bool
}

func (t *writeTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	rows, err := t.Query(ctx, sql, args...)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	rows.Close()
	return rows.CommandTag(), rows.Err()
}

func (t *writeTx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := t.Query(ctx, sql, args...)
	if err != nil {
		return failedRow{err}
	}
	return oneRow{rows}
}

func (t *writeTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if t.over {
		return nil, errFinished
	}
	return t.query(ctx, sql, args)
}

func (t *writeTx) query(ctx context.Context, sql string, args []any) (pgx.Rows, error) {
	if t.conn != nil {
		text, err := t.own(ctx, sql)
		if err != nil {
			return nil, err
		}
		return t.conn.Query(ctx, text, args...)
	}
	rows, err := t.first(ctx, sql, args)
	if stale(err) {
		t.conn.discard(ctx)
		t.conn = nil
		return t.first(ctx, sql, args)
	}
	return rows, err
}

// first sends the statement that the transaction begins with.
func (t *writeTx) first(ctx context.Context, sql string, args []any) (pgx.Rows, error) {
	c, err := t.unit.shards.acquire(ctx, t.unit.tenant)
	if err != nil {
		return nil, err
	}
	t.conn = c
	if t.unit.tenant == nil {
		if _, err := c.Exec(ctx, "begin"); err != nil {
			return nil, err
		}
		return c.Query(ctx, sql, args...)
	}
	text := c.text(*t.unit.tenant, sql)
	if c.session().has(text) {
		rows, err := t.pipelined(ctx, text, args)
		if err == nil || !forgotten(err) {
			return rows, err
		}
		c.session().forget(text)
		abandon(ctx, c.Conn.Conn())
	}
	return t.stepwise(ctx, text, args)
}

// own is the statement as this tenant sends it on this connection.
func (t *writeTx) own(ctx context.Context, sql string) (string, error) {
	if t.unit.tenant == nil {
		return sql, nil
	}
	text := t.conn.text(*t.unit.tenant, sql)
	return text, t.conn.session().prepare(ctx, t.conn.Conn.Conn(), text)
}

func (t *writeTx) pipelined(ctx context.Context, sql string, args []any) (pgx.Rows, error) {
	batch := &pgx.Batch{}
	batch.Queue("begin")
	batch.Queue(t.opening, t.unit.opening(t.conn.share)...)
	batch.Queue(sql, args...)
	results := t.conn.SendBatch(ctx, batch)
	if _, err := results.Exec(); err != nil {
		results.Close()
		return nil, err
	}
	if err := walled(results); err != nil {
		results.Close()
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		results.Close()
		return nil, err
	}
	return &heldRows{Rows: rows, done: func() { results.Close() }}, nil
}

func (t *writeTx) stepwise(ctx context.Context, sql string, args []any) (pgx.Rows, error) {
	if err := t.conn.session().tidy(ctx, t.conn.Conn.Conn()); err != nil {
		return nil, err
	}
	if err := begin(ctx, t.conn.Conn.Conn(), t.opening, t.unit.opening(t.conn.share)); err != nil {
		return nil, err
	}
	if err := t.conn.session().prepare(ctx, t.conn.Conn.Conn(), sql); err != nil {
		return nil, err
	}
	return t.conn.Query(ctx, sql, args...)
}

func (t *writeTx) commit(ctx context.Context) error {
	t.over = true
	if t.conn == nil {
		return nil
	}
	tag, err := t.conn.Exec(ctx, "commit")
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	t.conn.Release()
	t.conn = nil
	if tag.String() != "COMMIT" {
		return errors.New("commit: the transaction had failed and was rolled back")
	}
	return nil
}

func (t *writeTx) rollback(ctx context.Context) {
	t.over = true
	if t.conn == nil {
		return
	}
	abandon(ctx, t.conn.Conn.Conn())
	t.conn.Release()
	t.conn = nil
}

// begin opens an explicit, walled transaction in one round trip.
func begin(ctx context.Context, conn *pgx.Conn, opening string, args []any) error {
	batch := &pgx.Batch{}
	batch.Queue("begin")
	batch.Queue(opening, args...)
	results := conn.SendBatch(ctx, batch)
	_, err := results.Exec()
	if err == nil {
		err = walled(results)
	}
	if cerr := results.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		abandon(ctx, conn)
	}
	return err
}

// abandonTimeout bounds a rollback; past it the connection is closed instead.
const abandonTimeout = 2 * time.Second

// abandon ends a transaction without keeping anything, also when the caller's
// context is over. A connection that cannot even do that is closed, and the
// pool replaces it.
func abandon(ctx context.Context, conn *pgx.Conn) {
	if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer cancel()
	if _, err := conn.Exec(ctx, "rollback"); err != nil {
		_ = conn.Close(ctx) // it is beyond use; the pool sees that it is closed
	}
}
