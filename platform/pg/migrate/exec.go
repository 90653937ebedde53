package migrate

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Exec runs statements without parameters in a transaction, each on its own: PostgreSQL would take several in one
// text, but then an error does not say which one failed, and Citus does not distribute them. They travel together all
// the same; a round trip for each of some hundred would be a good part of the time of making a tenant. On an error it
// returns which one failed.
func Exec(ctx context.Context, tx pgx.Tx, statements []string) (failed int, err error) {
	batch := &pgconn.Batch{}
	for _, s := range statements {
		batch.ExecParams(s, nil, nil, nil, nil)
	}
	results := tx.Conn().PgConn().ExecBatch(ctx, batch)
	done := 0
	for results.NextResult() {
		if _, err := results.ResultReader().Close(); err != nil {
			break // Close says it again
		}
		done++
	}
	return min(done, len(statements)-1), results.Close()
}
