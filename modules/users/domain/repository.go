package domain

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// Order is how a list of users is sorted.
type Order string

// The orders.
const (
	Newest  Order = "newest"
	ByEmail Order = "email"
	ByName  Order = "name"
)

// Spec says which users to list, and how. Zero fields do not filter.
type Spec struct {
	Status        Status
	EmailPrefix   string // in lower case
	CreatedFrom   time.Time
	CreatedBefore time.Time
	Among         []uuid.UUID // nil does not filter, an empty list finds nobody
	Order         Order       // Newest when empty
}

// Repository keeps the users of the tenant.
type Repository interface {
	// Insert adds a user. It returns ErrEmailTaken.
	Insert(ctx context.Context, tx uow.Tx, u User) error
	// Find returns a user or ErrNotFound.
	Find(ctx context.Context, tx uow.Tx, id uuid.UUID) (User, error)
	// FindByEmail returns a user or ErrNotFound.
	FindByEmail(ctx context.Context, tx uow.Tx, e Email) (User, error)
	// Lock is Find that keeps others from changing the user until tx ends.
	Lock(ctx context.Context, tx uow.Tx, id uuid.UUID) (User, error)
	// Save stores a changed user and returns it at its new version. It returns
	// ErrEmailTaken, and errs.ErrPreconditionFailed when the stored user is not
	// at u.Version.
	Save(ctx context.Context, tx uow.Tx, u User) (User, error)
	// Delete removes a user with sessions and tokens. It returns
	// errs.ErrPreconditionFailed when the stored user is not at u.Version.
	Delete(ctx context.Context, tx uow.Tx, u User) error
	// Rehash stores the same password in the form that is made now.
	Rehash(ctx context.Context, tx uow.Tx, id uuid.UUID, hash secret.Value) error
	// Invitations returns a page of the open invitations, the last sent first.
	Invitations(ctx context.Context, tx uow.Tx, p page.Request) (page.Page[Invitation], error)
	// List returns a page of users.
	List(ctx context.Context, tx uow.Tx, s Spec, p page.Request) (page.Page[User], error)
}

// Sessions keeps sessions and their refresh tokens.
type Sessions interface {
	Insert(ctx context.Context, tx uow.Tx, s Session) error
	// End ends one of a user's sessions. It returns ErrSessionNotFound unless
	// the user has it and it has not ended.
	End(ctx context.Context, tx uow.Tx, user, id uuid.UUID, now time.Time) error
	// EndAll ends all sessions of a user but one; uuid.Nil spares none.
	EndAll(ctx context.Context, tx uow.Tx, user, except uuid.UUID, now time.Time) error
	// ListLive returns a page of a user's sessions that are live at now, newest
	// first.
	ListLive(ctx context.Context, tx uow.Tx, user uuid.UUID, now time.Time, l users.Lifetimes, p page.Request) (page.Page[Session], error)
	// AddToken stores a refresh token of a session.
	AddToken(ctx context.Context, tx uow.Tx, d Digest, session uuid.UUID, now time.Time) error
	// LockToken finds a refresh token and keeps others from using it or any
	// other of its session until tx ends. It returns ErrRefreshToken.
	LockToken(ctx context.Context, tx uow.Tx, d Digest) (Refresh, error)
	// UseToken notes that a refresh token was used, and its session with it.
	UseToken(ctx context.Context, tx uow.Tx, d Digest, session uuid.UUID, now time.Time) error
}

// OneTimeTokens keeps tokens that work once.
type OneTimeTokens interface {
	// Put stores a token in place of the user's earlier one for that purpose.
	Put(ctx context.Context, tx uow.Tx, t OneTimeToken) error
	// Take returns a token and removes it, so that of two that try only one
	// succeeds. It returns the refusal of its purpose for an unknown one.
	Take(ctx context.Context, tx uow.Tx, d Digest, p Purpose) (OneTimeToken, error)
	// Drop removes the user's token for a purpose, if there is one.
	Drop(ctx context.Context, tx uow.Tx, user uuid.UUID, p Purpose) error
}

// SecondFactors keeps authenticators and recovery codes.
type SecondFactors interface {
	// Put stores an authenticator that is not confirmed yet, in place of an
	// earlier one that never was.
	Put(ctx context.Context, tx uow.Tx, a Authenticator, now time.Time) error
	// Lock finds a user's authenticator and keeps others from using it until tx
	// ends. It returns ErrNoSecondFactor.
	Lock(ctx context.Context, tx uow.Tx, user uuid.UUID) (Authenticator, error)
	// Confirm notes that the user has shown a code.
	Confirm(ctx context.Context, tx uow.Tx, user uuid.UUID, step int64, now time.Time) error
	// PutCodes stores recovery codes in place of the earlier ones.
	PutCodes(ctx context.Context, tx uow.Tx, user uuid.UUID, codes []Digest) error
	// Use notes the newest code that was used.
	Use(ctx context.Context, tx uow.Tx, user uuid.UUID, step int64) error
	// TakeCode uses up a recovery code, and reports whether it was there.
	TakeCode(ctx context.Context, tx uow.Tx, user uuid.UUID, d Digest) (bool, error)
	// Remove drops authenticator and codes.
	Remove(ctx context.Context, tx uow.Tx, user uuid.UUID) error
}
