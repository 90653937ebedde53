package service

import (
	"context"
	"errors"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// AcceptInvitation makes an invited user active.
var AcceptInvitation = op.Write("auth.invitation.accept", "Accept an invitation: choose a password and sign in.",
	op.Public("The one-time token of the invitation is the proof."), op.About("user"))

// Acceptance is what an invited person chooses.
type Acceptance struct {
	Token    secret.Value
	Password secret.Value
	Name     string
}

// AcceptInvitation gives an invited user a password and a name, and begins a
// session. The token works once; it returns domain.ErrInvitation when it is
// unknown, used or expired.
func (s *Auth) AcceptInvitation(ctx context.Context, in Acceptance) (Tokens, error) {
	slot, err := s.hasher.Reserve(ctx)
	if err != nil {
		return Tokens{}, err
	}
	defer slot.Release()
	return op.Do(ctx, s.run, AcceptInvitation, func(tx uow.Tx) (Tokens, error) {
		u, err := s.invited(ctx, tx, in.Token)
		if err != nil {
			return Tokens{}, err
		}
		joined, err := u.Join(in.Name, in.Password, slot, s.clock.Now())
		if err != nil {
			return Tokens{}, err
		}
		tx.Trail().Changed(u.View(), joined.View())
		if joined, err = s.users.Save(ctx, tx, joined); err != nil {
			return Tokens{}, err
		}
		tokens, _, err := s.issuer.begin(ctx, tx, s.scope.Tenant, joined, s.scope.Caller.Origin)
		return tokens, err
	})
}

// invited takes an invitation's token and returns whom it invites. When the
// operation fails the token is there again.
func (s *Auth) invited(ctx context.Context, tx uow.Tx, token secret.Value) (domain.User, error) {
	t, err := s.tokens.Take(ctx, tx, domain.DigestOf(token), domain.ForInvitation)
	if err != nil {
		return domain.User{}, err
	}
	u, err := s.lock(ctx, tx, t.UserID)
	if errors.Is(err, domain.ErrNotFound) || err == nil && t.Expired(s.clock.Now()) {
		return u, domain.ErrInvitation
	}
	return u, err
}
