// Package users is the contract of the users module: what other modules may
// ask of it. Users are the people of one tenant and how they prove who they
// are.
package users

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// CodeNotInvited is the code of the error that there is nothing to invite to:
// the user has chosen a password already.
const CodeNotInvited = "users.not_invited"

// KeyPrefix begins every API key, so that people and scanners know one when
// they see it.
const KeyPrefix = "insula_key_"

// Invitation lets its holder choose a password once.
type Invitation struct {
	Email   string
	Token   secret.Value
	Expires time.Time
}

// Standing tells who can sign in, inside the caller's unit of work.
type Standing interface {
	// AnyActive reports whether one of these users is active.
	AnyActive(ctx context.Context, tx uow.Tx, ids []uuid.UUID) (bool, error)
	// Active lists those of these users who are active.
	Active(ctx context.Context, tx uow.Tx, ids []uuid.UUID) ([]uuid.UUID, error)
}

// Ticket is a text that stands for a session for one operation, once.
type Ticket struct {
	Text    secret.Value
	Expires time.Time
}

// Tickets makes tickets, inside the caller's unit of work.
type Tickets interface {
	// Issue returns users.ticket_by_key for a caller without a session.
	Issue(ctx context.Context, tx uow.Tx, tenant uuid.UUID, by authn.Caller, operation string) (Ticket, error)
}

// KeyScope is what an API key is bounded to.
type KeyScope struct {
	Maker      uuid.UUID // whose key it is: it holds nothing that its maker does not
	Operations []string  // names and patterns that it is bounded to
}

// KeyScopes finds what API keys are bounded to, inside the caller's unit of
// work.
type KeyScopes interface {
	// Scopes leaves out keys that do not exist and those that have expired.
	Scopes(ctx context.Context, tx uow.Tx, keys []uuid.UUID, now time.Time) (map[uuid.UUID]KeyScope, error)
}

// Founder looks after the first administrator of a new tenant, inside the
// caller's unit of work.
type Founder interface {
	// Invite makes a new one-time token for the user with this address, which
	// takes the place of an earlier one. It returns users.not_found when there
	// is none, and the error CodeNotInvited when the user has a password
	// already.
	Invite(ctx context.Context, tx uow.Tx, email string) (Invitation, error)
}
