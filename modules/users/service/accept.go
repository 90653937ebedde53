package service

import (
	"context"

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
	slot, err := s.Hasher.Reserve(ctx, s.scope.Tenant.ID)
	if err != nil {
		return Tokens{}, err
	}
	defer slot.Release()
	return op.Do(ctx, s.run, AcceptInvitation, func(tx uow.Tx) (Tokens, error) {
		u, err := s.redeem(ctx, tx, in.Token, domain.ForInvitation)
		if err != nil {
			return Tokens{}, err
		}
		joined, err := u.Join(in.Name, in.Password, slot, s.clock.Now())
		if err != nil {
			return Tokens{}, err
		}
		if joined, err = s.users.Save(ctx, tx, joined); err != nil {
			return Tokens{}, err
		}
		tokens, err := s.welcome(ctx, tx, joined, secret.Value{}, []domain.Subject{domain.AccountSubject(u.Email.String())})
		tx.Trail().Changed(u.View(), joined.View())
		return tokens, err
	})
}
