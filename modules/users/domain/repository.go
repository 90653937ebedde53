package domain

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Spec says which users to list. Zero fields do not filter.
type Spec struct {
	Status      Status
	EmailPrefix string // in lower case
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
	// List returns a page of users, newest first.
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
	// ListLive returns a page of a user's live sessions, newest first.
	ListLive(ctx context.Context, tx uow.Tx, user uuid.UUID, now time.Time, p page.Request) (page.Page[Session], error)
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
	// succeeds. It returns ErrInvitation for an unknown one.
	Take(ctx context.Context, tx uow.Tx, d Digest, p Purpose) (OneTimeToken, error)
	// Drop removes the user's token for a purpose, if there is one.
	Drop(ctx context.Context, tx uow.Tx, user uuid.UUID, p Purpose) error
}
