package domain

import (
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/secret"
)

// TicketLifetime is how long a ticket waits for its use. It may stand in an
// address, where others than its owner can see it.
const TicketLifetime = 30 * time.Second

// ticketPrefix begins every ticket.
const ticketPrefix = "insula_ticket_"

// Ticket stands for a session for one operation, once.
type Ticket struct {
	Digest    Digest
	UserID    uuid.UUID
	SessionID uuid.UUID
	Operation string
	ExpiresAt time.Time
}

// NewTicket draws a ticket for a session. It returns ErrTicketByKey when there
// is none.
func NewTicket(tenant, user, session uuid.UUID, operation string, now time.Time, random io.Reader) (Ticket, secret.Value, error) {
	if session == uuid.Nil {
		return Ticket{}, secret.Value{}, ErrTicketByKey
	}
	text, err := newTenantToken(ticketPrefix, tenant, random)
	if err != nil {
		return Ticket{}, text, err
	}
	return Ticket{
		Digest: DigestOf(text), UserID: user, SessionID: session, Operation: operation, ExpiresAt: now.Add(TicketLifetime),
	}, text, nil
}

// TicketTenant is the tenant that a ticket names; false for a text that is no
// ticket.
func TicketTenant(text string) (uuid.UUID, bool) { return tokenTenant(ticketPrefix, text) }
