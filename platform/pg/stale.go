package pg

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// stale reports that a backend does not know of the membership in a tenant's
// role. A backend that reads its memberships at the moment a new tenant is
// committed may keep the old list until memberships change again: it is of no
// use for that tenant, and another one is. Nothing has run then.
func stale(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "42501" && strings.HasPrefix(pe.Message, "permission denied to set role")
}

// replaced reports that a table or schema went away under a unit of work: the
// tenant's schema was replaced by another since it opened. Nothing was kept,
// and the next attempt opens in the new one.
func replaced(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && (pe.Code == "42P01" || pe.Code == "3F000")
}

// discard closes a connection; the pool replaces it.
func (c *conn) discard(ctx context.Context) {
	_ = c.Conn.Conn().Close(context.WithoutCancel(ctx)) // it is beyond use
	c.Release()
}
