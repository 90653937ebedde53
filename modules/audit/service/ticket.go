package service

import (
	"context"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Ticket is the declaration of getting a ticket for Stream.
var Ticket = op.Read("audit.stream.ticket", "Get a ticket with which a browser watches the audit trail, once.",
	op.Recorded, op.About("audit_trail"))

// Ticket makes a ticket that opens Stream once, for a client that can not send
// a token with it: it stands for the session of the caller, and opens nothing
// that this does not open when it is used.
func (s *Viewing) Ticket(ctx context.Context) (users.Ticket, error) {
	return op.Do(ctx, s.run, Ticket.On(s.scope.Tenant.ID.String()), func(tx uow.Tx) (users.Ticket, error) {
		return s.tickets.Issue(ctx, tx, s.scope.Tenant.ID, s.scope.Caller, Stream.Name)
	})
}
