package service

import (
	"context"
	"io"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Postman delivers invitations.
type Postman interface {
	// Deliver takes an invitation to t and returns at once; what becomes of it
	// is in the log. inviter is empty when nobody in particular invites.
	Deliver(ctx context.Context, t tenancy.Tenant, inviter string, i users.Invitation)
}

// Inviter makes and sends invitations.
type Inviter struct {
	tokens  domain.OneTimeTokens
	postman Postman
	clock   clock.Clock
	random  io.Reader
}

// NewInviter makes the inviter of a process.
func NewInviter(tokens domain.OneTimeTokens, p Postman, c clock.Clock, random io.Reader) *Inviter {
	return &Inviter{tokens: tokens, postman: p, clock: c, random: random}
}

// issue makes an invitation that takes the place of the user's earlier one.
func (i *Inviter) issue(ctx context.Context, tx uow.Tx, u domain.User) (users.Invitation, error) {
	token, err := domain.NewToken(i.random)
	if err != nil {
		return users.Invitation{}, err
	}
	now := i.clock.Now()
	expires := now.Add(domain.InvitationLifetime)
	err = i.tokens.Put(ctx, tx, domain.OneTimeToken{
		Digest: domain.DigestOf(token), UserID: u.ID, Purpose: domain.ForInvitation, CreatedAt: now, ExpiresAt: expires,
	})
	return users.Invitation{Email: u.Email.String(), Token: token, Expires: expires}, err
}

// send issues an invitation and mails it once that is durable.
func (i *Inviter) send(ctx context.Context, tx uow.Tx, r scope.Request, u domain.User) error {
	invitation, err := i.issue(ctx, tx, u)
	if err != nil {
		return err
	}
	tx.AfterCommit(func(ctx context.Context) {
		i.postman.Deliver(ctx, r.Tenant, r.Caller.Label, invitation)
	})
	return nil
}
