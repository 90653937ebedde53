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

// canceller has the server end a statement whose caller has gone. By itself pgx
// closes the connection, and with it goes all that the backend knows of its tenants.
// Behind a pooler it still does: there the backend may be somebody else's by the
// time it is asked.
//
// What is asked for must not reach the next statement, which may be another
// tenant's. A server hangs up on who asked when it has signalled the backend, so
// that is waited for; where it does not come the connection is not used again.
type canceller struct {
	conn  *pgconn.PgConn
	leave context.CancelFunc // the statement is over
	asked chan bool          // whether nothing can come of it any more
}

func cancelling(c *pgconn.PgConn) ctxwatch.Handler { return &canceller{conn: c} }

// HandleCancel implements ctxwatch.Handler.
func (h *canceller) HandleCancel(context.Context) {
	until := time.Now().Add(hangUpAfter)
	_ = h.conn.Conn().SetDeadline(until) // fails on a closed connection alone
	running, leave := context.WithCancel(context.Background())
	h.leave, h.asked = leave, make(chan bool, 1)
	go func() { h.asked <- h.ask(running, until) }()
}

// ask asks the server, unless the statement ends before.
func (h *canceller) ask(running context.Context, until time.Time) bool {
	pause := time.NewTimer(cancelAfter)
	defer pause.Stop()
	select {
	case <-running.Done():
		return true
	case <-pause.C:
	}
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	return h.conn.CancelRequest(ctx) == nil && ctx.Err() == nil
}

// HandleUnwatchAfterCancel implements ctxwatch.Handler.
func (h *canceller) HandleUnwatchAfterCancel() {
	h.leave()
	if <-h.asked {
		_ = h.conn.Conn().SetDeadline(time.Time{})
		return
	}
	if s, ok := h.conn.CustomData()[sessionKey].(*session); ok {
		s.doubtful = true
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
