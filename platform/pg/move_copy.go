package pg

import (
	"bufio"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// portionBytes is how much of a table goes in in one transaction: one for all
// would keep every audit trail of the target's server from being sealed for as
// long as it takes.
const portionBytes = 16 << 20

// tooOld is how many transactions may have been begun at the source since
// another before the age of that one cannot be told any more, with some to spare.
const tooOld = 1<<31 - 1<<24

// snapshot shows fn the source as it is at one instant, with the oldest
// transaction that may still change it afterwards.
func (r *moveRun) snapshot(ctx context.Context, fn func(src *pgx.Conn, oldest int64) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return pgx.BeginTxFunc(ctx, r.from.m.pool, options, func(tx pgx.Tx) error {
		if err := execAll(ctx, tx, []string{"SET LOCAL idle_in_transaction_session_timeout = 0", "SET LOCAL statement_timeout = 0"}); err != nil {
			return err
		}
		var oldest, next int64
		const instant = "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() AS s"
		if err := tx.QueryRow(ctx, instant).Scan(&oldest, &next); err != nil {
			return err
		}
		if r.state.Since != 0 && next-r.state.Since > tooOld {
			return ErrMoveOutdated
		}
		return fn(tx.Conn(), oldest)
	})
}

// copy brings the tables over that are not there yet, all as they are at one
// instant. What is being written meanwhile comes with the rounds.
func (r *moveRun) copy(ctx context.Context) error {
	left := slices.DeleteFunc(slices.Clone(r.tables), func(t *movedTable) bool { return slices.Contains(r.state.Copied, t.Name) })
	if len(left) == 0 {
		return nil
	}
	return r.snapshot(ctx, func(src *pgx.Conn, oldest int64) error {
		if r.state.Since == 0 {
			r.state.Since = oldest
		}
		for _, t := range left {
			if err := r.copyTable(ctx, src, t); err != nil {
				return fmt.Errorf("copy table %s: %w", t.Name, err)
			}
			r.state.Copied = append(r.state.Copied, t.Name)
			if err := r.keep(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *moveRun) copyTable(ctx context.Context, src *pgx.Conn, t *movedTable) error {
	dst, err := r.to.m.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer dst.Release()
	// An attempt that was interrupted may have left a part.
	err = r.fenced(ctx, dst, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "TRUNCATE "+t.name())
		return err
	})
	if err != nil {
		return err
	}
	arrived := int64(0)
	sent, err := pour(ctx, src, t.allRows(), func(rows *bufio.Reader) error {
		arrived, err = r.fill(ctx, dst.Conn(), t, rows)
		return err
	})
	if err != nil {
		return err
	}
	if sent != arrived {
		return fmt.Errorf("%w: %d rows of %d arrived", ErrMoveDiffers, arrived, sent)
	}
	r.told.Rows += arrived
	r.overThere(t)
	// The planner knows nothing of the rows yet; and rows that the server knows
	// to be there for everybody are counted from an index.
	_, err = dst.Exec(ctx, "VACUUM (ANALYZE) "+t.name())
	return err
}

// fill takes all rows of a stream in, some in each transaction.
func (r *moveRun) fill(ctx context.Context, dst *pgx.Conn, t *movedTable, rows *bufio.Reader) (n int64, err error) {
	soFar := int64(0)
	for {
		if over, err := empty(rows); err != nil || over {
			return n, err
		}
		some := counted{&portion{rows: rows, left: portionBytes}, func(n int) {
			soFar += int64(n)
			r.sent.Add(int64(n))
			r.copied(t, soFar)
		}}
		err := r.fenced(ctx, dst, func(tx pgx.Tx) error {
			tag, err := tx.Conn().PgConn().CopyFrom(ctx, some, into(t.name(), t.Columns))
			n += tag.RowsAffected()
			return err
		})
		if err != nil {
			return n, err
		}
	}
}
