package infra

import (
	"context"
	"io"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra/internal/usersdb"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// Tickets implements users.Tickets and gate.Tickets.
type Tickets struct {
	q      *usersdb.Queries
	clock  clock.Clock
	random io.Reader
}

// NewTickets makes the tickets of a process.
func NewTickets(c clock.Clock, random io.Reader) *Tickets {
	return &Tickets{q: usersdb.New(), clock: c, random: random}
}

// Issue implements users.Tickets. It also drops those of the session that
// nobody used in time.
func (r *Tickets) Issue(ctx context.Context, tx uow.Tx, tenant uuid.UUID, by authn.Caller, operation string) (users.Ticket, error) {
	now := r.clock.Now()
	t, text, err := domain.NewTicket(tenant, by.ID, by.Session, operation, now, r.random)
	if err != nil {
		return users.Ticket{}, err
	}
	if err := r.q.DropEndedTickets(ctx, pg.DB(tx), t.SessionID, now); err != nil {
		return users.Ticket{}, pg.Translate(err, nil, nil)
	}
	err = r.q.InsertTicket(ctx, pg.DB(tx), usersdb.InsertTicketParams{
		Hash: t.Digest[:], UserID: t.UserID, SessionID: t.SessionID, Operation: t.Operation, ExpiresAt: t.ExpiresAt,
	})
	return users.Ticket{Text: text, Expires: t.ExpiresAt}, pg.Translate(err, nil, nil)
}

// TicketTenant implements gate.Tickets.
func (r *Tickets) TicketTenant(ticket string) (uuid.UUID, bool) { return domain.TicketTenant(ticket) }

// Redeem implements gate.Tickets.
func (r *Tickets) Redeem(ctx context.Context, tx uow.Tx, ticket, operation string) (user, session uuid.UUID, err error) {
	digest := domain.DigestOf(secret.New(ticket))
	row, err := r.q.TakeTicket(ctx, pg.DB(tx), digest[:], operation, r.clock.Now())
	if err != nil {
		return uuid.Nil, uuid.Nil, pg.Translate(err, errs.ErrUnauthenticated, nil)
	}
	return row.UserID, row.SessionID, nil
}
