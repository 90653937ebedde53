package pg

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

const (
	// cancelAfter is how long a statement whose caller has gone may go on by
	// itself: most are over by then, and asking the server takes a connection.
	cancelAfter = 20 * time.Millisecond
	// hangUpAfter is when a server that does not end it is hung up on.
	hangUpAfter = time.Second
)

// cancelling has the server end a statement whose caller has gone. By itself pgx
// closes the connection, and with it goes all that the backend knows of its tenants.
// Behind a pooler it still does: there the backend may be somebody else's by the
// time it is asked.
func cancelling(c *pgconn.PgConn) ctxwatch.Handler {
	return &pgconn.CancelRequestContextWatcherHandler{
		Conn: c, CancelRequestDelay: cancelAfter, DeadlineDelay: hangUpAfter,
	}
}

// givenUp is the end of ctx where that is why the server ended a statement, which
// does not say so itself.
func givenUp(ctx context.Context, err error) error {
	var pe *pgconn.PgError
	if ctx.Err() != nil && errors.As(err, &pe) && pe.Code == cancelled {
		return ctx.Err()
	}
	return err
}
