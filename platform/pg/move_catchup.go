package pg

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// Rounds go on until one has little to bring over or no longer less than the
// one before: then what is left is what is written while a round takes place.
const (
	fewRows   = 500
	maxRounds = 8
)

// settle catches up until that goes quickly.
func (r *moveRun) settle(ctx context.Context) error {
	last := int64(-1)
	for range maxRounds {
		rows, err := r.round(ctx, nil)
		if err != nil {
			return err
		}
		if rows <= fewRows || last >= 0 && rows > last/2 {
			return nil
		}
		last = rows
	}
	return nil
}

// round brings over what has changed since the last one, as it is at one
// instant, and returns how many rows that was. also sees source and target at
// that instant, table by table; nil is fine.
func (r *moveRun) round(ctx context.Context, also func(ctx context.Context, src *pgx.Conn, t *movedTable) error) (rows int64, err error) {
	r.told.Rounds++
	var since int64
	err = r.snapshot(ctx, func(src *pgx.Conn, oldest int64) error {
		since = oldest
		for _, t := range r.tables {
			r.progress(MoveProgress{Stage: MoveCatchesUp, Table: t.Name, Rows: rows})
			n, err := r.catchUp(ctx, src, t)
			if err != nil {
				return fmt.Errorf("catch up with table %s: %w", t.Name, err)
			}
			rows += n
			if also == nil {
				continue
			}
			if err := also(ctx, src, t); err != nil {
				return fmt.Errorf("table %s: %w", t.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	r.told.Rows += rows
	r.state.Since = since
	return rows, r.keep(ctx)
}

// catchUp makes a table at the target what it is at the source, in a
// transaction of its own. Rows that are there in another form go before any
// comes: two may have exchanged what must be unique.
func (r *moveRun) catchUp(ctx context.Context, src *pgx.Conn, t *movedTable) (changed int64, err error) {
	have := t.have
	there, err := t.count(ctx, src)
	if err != nil {
		return 0, err
	}
	err = r.fenced(ctx, r.to.m.pool, func(dst pgx.Tx) error {
		sum := newRowSum(r.seed)
		if changed, err = r.receive(ctx, src, dst, t, sum); err != nil {
			return err
		}
		if changed > 0 {
			gone, err := dst.Exec(ctx, fmt.Sprintf("DELETE FROM %s AS o USING %s AS n WHERE %s", t.name(), incoming, t.on("o", "n")))
			if err != nil {
				return err
			}
			have -= gone.RowsAffected()
		}
		if have+changed != there {
			if have, err = r.removeGone(ctx, src, dst, t, have); err != nil {
				return err
			}
		}
		if have += changed; have != there {
			return fmt.Errorf("%w: %d rows instead of %d", ErrMoveDiffers, have, there)
		}
		return r.deliver(ctx, dst, t, sum)
	})
	if err == nil {
		t.have = have
	}
	return changed, err
}

// The tables in which rows, and keys, wait at the target.
const (
	incoming = "pg_temp.insula_incoming"
	present  = "pg_temp.insula_present"
)

// receive has the changed rows wait at the target. Without any, nothing is made.
func (r *moveRun) receive(ctx context.Context, src *pgx.Conn, dst pgx.Tx, t *movedTable, sum *rowSum) (int64, error) {
	return pour(ctx, src, t.changedRows(r.state.Since), func(rows *bufio.Reader) error {
		if none, err := empty(rows); err != nil || none {
			return err
		}
		seen := counted{io.TeeReader(rows, sum), func(n int) { r.sent.Add(int64(n)) }}
		return wait(ctx, dst, t, incoming, t.Columns, seen)
	})
}

// wait fills a table of the transaction's own with columns of another.
func wait(ctx context.Context, dst pgx.Tx, t *movedTable, name string, columns []string, rows io.Reader) error {
	statement := fmt.Sprintf("CREATE TEMPORARY TABLE %s ON COMMIT DROP AS SELECT %s FROM %s WITH NO DATA", name, quoted(columns), t.name())
	if _, err := dst.Exec(ctx, statement); err != nil {
		return err
	}
	_, err := dst.Conn().PgConn().CopyFrom(ctx, rows, into(name, columns))
	return err
}

// removeGone removes the rows that the source does not have any more. Only
// comparing all keys shows which these are; the counts have shown that there
// are some.
func (r *moveRun) removeGone(ctx context.Context, src *pgx.Conn, dst pgx.Tx, t *movedTable, have int64) (int64, error) {
	_, err := pour(ctx, src, t.keys(), func(rows *bufio.Reader) error { return wait(ctx, dst, t, present, t.key, rows) })
	if err != nil {
		return have, err
	}
	gone, err := dst.Exec(ctx, fmt.Sprintf("DELETE FROM %s AS o WHERE NOT EXISTS (SELECT FROM %s AS n WHERE %s)", t.name(), present, t.on("o", "n")))
	return have - gone.RowsAffected(), err
}

// deliver puts the rows that wait into their table, and compares what they have
// become with what was sent.
func (r *moveRun) deliver(ctx context.Context, dst pgx.Tx, t *movedTable, sent *rowSum) error {
	if sent.Rows == 0 {
		return nil
	}
	columns := quoted(t.Columns)
	if _, err := dst.Exec(ctx, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s", t.name(), columns, columns, incoming)); err != nil {
		return err
	}
	arrived := newRowSum(r.seed)
	sql := fmt.Sprintf("COPY (SELECT %s FROM %s AS o WHERE EXISTS (SELECT FROM %s AS n WHERE %s)) TO STDOUT", columns, t.name(), incoming, t.on("o", "n"))
	if _, err := dst.Conn().PgConn().CopyTo(ctx, arrived, sql); err != nil {
		return err
	}
	if !arrived.same(sent) {
		return fmt.Errorf("%w: what has changed since", ErrMoveDiffers)
	}
	return nil
}

// compare reads a whole table on both sides.
func (r *moveRun) compare(ctx context.Context, src *pgx.Conn, t *movedTable) error {
	r.progress(MoveProgress{Stage: MoveChecks, Table: t.Name})
	there, here := newRowSum(r.seed), newRowSum(r.seed)
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error {
		_, err := src.PgConn().CopyTo(ctx, there, t.allRows())
		return err
	})
	both.Go(func() error {
		dst, err := r.to.m.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		defer dst.Release()
		_, err = dst.Conn().PgConn().CopyTo(ctx, here, t.arrivedRows())
		return err
	})
	if err := both.Wait(); err != nil {
		return err
	}
	if !there.same(here) {
		return fmt.Errorf("%w: %d rows at the source, %d at the target", ErrMoveDiffers, there.Rows, here.Rows)
	}
	return nil
}
