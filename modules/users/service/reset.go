package service

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// ForgotPassword and ResetPassword replace a password that its owner does not
// know any more.
var (
	ForgotPassword = op.Write("auth.password.forgot", "Ask for a link by which to choose a new password.",
		op.Public("Whoever forgot the password cannot sign in."))
	ResetPassword = op.Write("auth.password.reset", "Choose a new password with the token of the mail.",
		op.Public("The one-time token of the mail is the proof."), op.About("user"))
)

// ForgotPassword queues the mail that brings a link, if the address is an
// active user's. It does the same work and returns the same for every
// address; who asks too often for one is not told either.
func (s *Auth) ForgotPassword(ctx context.Context, email string) error {
	_, err := op.Do(ctx, s.run, ForgotPassword, func(tx uow.Tx) (struct{}, error) {
		now, subjects := s.clock.Now(), []domain.Subject{domain.ResetSubject(email)}
		until, err := s.attempts.Blocked(ctx, tx, now, subjects...)
		if err != nil || !until.IsZero() {
			return struct{}{}, err
		}
		if err := s.attempts.Failed(ctx, tx, now, subjects...); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.post.put(ctx, tx, OfferReset, resetRequest{Email: email})
	})
	return err
}

// ResetPassword replaces a forgotten password and ends all sessions. It
// begins none, so that a second factor is not gone around: its owner signs in
// next. It returns domain.ErrReset for a token that is unknown, used or
// expired.
func (s *Auth) ResetPassword(ctx context.Context, token, next secret.Value) error {
	slot, err := s.Hasher.Reserve(ctx, s.scope.Tenant.ID)
	if err != nil {
		return err
	}
	defer slot.Release()
	_, err = op.Do(ctx, s.run, ResetPassword, func(tx uow.Tx) (struct{}, error) {
		u, err := s.redeem(ctx, tx, token, domain.ForReset)
		if err != nil {
			return struct{}{}, err
		}
		if u, err = u.Reset(next, slot, s.clock.Now()); err != nil {
			return struct{}{}, err
		}
		tx.Trail().Changed(passwordView{}, passwordView{})
		if u, err = s.users.Save(ctx, tx, u); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, errors.Join(
			s.sessions.EndAll(ctx, tx, u.ID, uuid.Nil, u.UpdatedAt),
			s.attempts.Forget(ctx, tx, domain.AccountSubject(u.Email.String())),
			s.post.notice(ctx, tx, s.scope.Tenant, u, mailx.PasswordReset),
		)
	})
	return err
}

// redeem takes a one-time token and returns its user, locked. When the
// operation fails the token is there again.
func (s *Auth) redeem(ctx context.Context, tx uow.Tx, token secret.Value, p domain.Purpose) (domain.User, error) {
	u, _, err := s.redeemed(ctx, tx, token, p)
	return u, err
}

func (s *Auth) redeemed(ctx context.Context, tx uow.Tx, token secret.Value, p domain.Purpose) (domain.User, domain.OneTimeToken, error) {
	t, err := s.tokens.Take(ctx, tx, domain.DigestOf(token), p)
	if err != nil {
		return domain.User{}, t, err
	}
	u, err := s.lock(ctx, tx, t.UserID)
	if errors.Is(err, domain.ErrNotFound) {
		return u, t, p.Refusal()
	}
	if err != nil {
		return u, t, err
	}
	if err := t.Good(u, s.clock.Now()); err != nil {
		return u, t, err
	}
	return u, t, nil
}
