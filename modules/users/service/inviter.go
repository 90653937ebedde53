package service

import (
	"context"
	"io"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// Inviter makes and sends invitations.
type Inviter struct {
	tokens domain.OneTimeTokens
	post   *Post
	clock  clock.Clock
	random io.Reader
}

// NewInviter makes the inviter of a process.
func NewInviter(tokens domain.OneTimeTokens, p *Post, c clock.Clock, random io.Reader) *Inviter {
	return &Inviter{tokens: tokens, post: p, clock: c, random: random}
}

// issue makes an invitation that takes the place of the user's earlier one.
func (i *Inviter) issue(ctx context.Context, tx uow.Tx, u domain.User) (users.Invitation, error) {
	now := i.clock.Now()
	t := domain.OneTimeToken{
		UserID: u.ID, Purpose: domain.ForInvitation, Address: u.Email,
		CreatedAt: now, ExpiresAt: now.Add(domain.InvitationLifetime),
	}
	token, err := issue(ctx, tx, i.tokens, i.random, t)
	return users.Invitation{Email: u.Email.String(), Token: token, Expires: t.ExpiresAt}, err
}

// send issues an invitation and queues the mail that brings it.
func (i *Inviter) send(ctx context.Context, tx uow.Tx, r scope.Request, u domain.User) error {
	invitation, err := i.issue(ctx, tx, u)
	if err != nil {
		return err
	}
	return i.post.invitation(ctx, tx, r.Tenant, r.Caller.Label, u, invitation)
}

// issue draws a one-time token and stores its digest in place of the user's
// earlier one.
func issue(ctx context.Context, tx uow.Tx, tokens domain.OneTimeTokens, random io.Reader, t domain.OneTimeToken) (secret.Value, error) {
	token, err := domain.NewToken(random)
	if err != nil {
		return secret.Value{}, err
	}
	t.Digest = domain.DigestOf(token)
	return token, tokens.Put(ctx, tx, t)
}
