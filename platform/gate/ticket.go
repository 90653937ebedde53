package gate

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Tickets knows the tickets that stand for a session for one operation, once.
// The users module implements it.
type Tickets interface {
	// TicketTenant is the tenant that a ticket names; false for anything else.
	TicketTenant(ticket string) (uuid.UUID, bool)
	// Redeem uses a ticket up. It returns errs.ErrUnauthenticated for one that
	// does not exist, was used, is too old or is for another operation.
	Redeem(ctx context.Context, tx uow.Tx, ticket, operation string) (user, session uuid.UUID, err error)
}

// AdmitTicket lets in who presents a ticket for an operation, as who got the
// ticket, if the session behind it still counts. The ticket is used up,
// whatever comes of it. It returns what Admit returns.
func (g *Gate) AdmitTicket(ctx context.Context, ticket, operation string, hints tenancy.Hints, origin authn.Origin) (scope.Request, error) {
	named, ok := g.tickets.TicketTenant(ticket)
	if !ok {
		return scope.Request{}, errs.ErrUnauthenticated
	}
	tenant, disagree := tenancy.FromToken(ctx, g.tenants, named, hints)
	if disagree != nil && tenant.ID == uuid.Nil {
		return scope.Request{}, hidden(disagree)
	}
	claimed := authn.Caller{Kind: authn.User}
	err := g.units.Tenant(tenant).Write(ctx, func(tx uow.Tx) (err error) {
		claimed.ID, claimed.Session, err = g.tickets.Redeem(ctx, tx, ticket, operation)
		return err
	})
	if err != nil {
		return scope.Request{}, hidden(err)
	}
	return g.admit(ctx, tenant, claimed, disagree, origin)
}
