package service

import (
	"context"
	"errors"
	"io"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

// The work that requests leave to the queue.
var (
	DeliverMail = op.Job("users.mail.deliver", "Deliver a mail.", op.About("mail"))
	OfferReset  = op.Job("auth.password.offer", "Send a link for a new password, if the address is a user's.", op.About("user"))
)

// Mailroom does the queued work of the module in one tenant.
type Mailroom struct {
	*Directory
	scope  scope.Request
	run    *op.Runner
	tokens domain.OneTimeTokens
	post   *Post
	sender mailx.Sender
	random io.Reader
}

// NewMailroom makes the service of one job.
func NewMailroom(r scope.Request, run *op.Runner, d *Directory, tokens domain.OneTimeTokens, p *Post, s mailx.Sender, random io.Reader) *Mailroom {
	return &Mailroom{Directory: d, scope: r, run: run, tokens: tokens, post: p, sender: s, random: random}
}

// Deliver sends a queued mail. What the mail server refuses for good is not
// tried again. The body touches no data, so no connection is held while the
// mail server takes its time.
func (s *Mailroom) Deliver(ctx context.Context, e Envelope) error {
	_, err := op.Do(ctx, s.run, DeliverMail, func(tx uow.Tx) (struct{}, error) {
		var m mailx.Message
		if err := s.post.unseal(DeliverMail, e, &m); err != nil {
			return struct{}{}, err
		}
		tx.Trail().On("mail", m.To, m.To) // it has no other name
		return struct{}{}, s.sender.Send(ctx, m)
	})
	if errors.Is(err, mailx.ErrPermanent) {
		return jobs.Hopeless(err)
	}
	return err
}

// resetRequest is the content of a queued OfferReset.
type resetRequest struct {
	Email string `json:"email"`
}

// OfferReset makes a token for a new password and queues the mail that brings
// it. For an address that is no active user's it does nothing.
func (s *Mailroom) OfferReset(ctx context.Context, e Envelope) error {
	_, err := op.Do(ctx, s.run, OfferReset, func(tx uow.Tx) (struct{}, error) {
		var in resetRequest
		if err := s.post.unseal(OfferReset, e, &in); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.offer(ctx, tx, in)
	})
	return err
}

func (s *Mailroom) offer(ctx context.Context, tx uow.Tx, in resetRequest) error {
	address, err := domain.ParseEmail(in.Email)
	if err != nil {
		return nil //nolint:nilerr // nobody has such an address, and nobody is told
	}
	u, err := s.users.FindByEmail(ctx, tx, address)
	if errors.Is(err, domain.ErrNotFound) || err == nil && u.Status != domain.Active {
		return nil
	}
	if err != nil {
		return err
	}
	aim(tx, u)
	now := s.clock.Now()
	t := domain.OneTimeToken{
		UserID: u.ID, Purpose: domain.ForReset, Address: u.Email, CreatedAt: now, ExpiresAt: now.Add(domain.ResetLifetime),
	}
	token, err := issue(ctx, tx, s.tokens, s.random, t)
	if err != nil {
		return err
	}
	return s.post.reset(ctx, tx, s.scope.Tenant, u.Email, token, t.ExpiresAt)
}
