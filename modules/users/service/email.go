package service

import (
	"context"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// ChangeMyEmail and ConfirmEmail move a user to another address.
var (
	ChangeMyEmail = op.Write("me.email.change", "Ask to use another e-mail address, which has to be confirmed.", op.SignedIn, op.About("user"))
	ConfirmEmail  = op.Write("auth.email.confirm", "Confirm a new e-mail address with the token of the mail.",
		op.Public("The one-time token of the mail is the proof."), op.About("user"))
)

// ChangeEmail sends a link to the new address; until it is confirmed the old
// one stays. It returns domain.ErrCurrentPassword.
func (s *Me) ChangeEmail(ctx context.Context, email string, password secret.Value) error {
	slot, err := s.Hasher.Reserve(ctx, s.scope.Tenant.ID)
	if err != nil {
		return err
	}
	defer slot.Release()
	_, err = op.Do(ctx, s.run, ChangeMyEmail.On(s.id().String()), func(tx uow.Tx) (struct{}, error) {
		address, err := domain.ParseEmail(email)
		if err != nil {
			return struct{}{}, err
		}
		u, err := s.proved(ctx, tx, password, slot)
		if err != nil {
			return struct{}{}, err
		}
		now := s.clock.Now()
		t := domain.OneTimeToken{
			UserID: u.ID, Purpose: domain.ForEmail, Address: address, CreatedAt: now, ExpiresAt: now.Add(domain.EmailLifetime),
		}
		token, err := issue(ctx, tx, s.tokens, s.random, t)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.post.confirmEmail(ctx, tx, s.scope.Tenant, address, token, t.ExpiresAt)
	})
	return err
}

// ConfirmEmail makes a confirmed address the user's, and tells the old one.
// It returns domain.ErrEmailToken, or domain.ErrEmailTaken when somebody else
// has the address by now.
func (s *Auth) ConfirmEmail(ctx context.Context, token secret.Value) error {
	_, err := op.Do(ctx, s.run, ConfirmEmail, func(tx uow.Tx) (struct{}, error) {
		u, t, err := s.redeemed(ctx, tx, token, domain.ForEmail)
		if err != nil {
			return struct{}{}, err
		}
		if u.Status != domain.Active {
			return struct{}{}, domain.ErrEmailToken
		}
		address := t.Address.String()
		after, err := u.Edit(domain.Change{Email: &address}, s.clock.Now())
		if err != nil {
			return struct{}{}, err
		}
		tx.Trail().Changed(u.View(), after.View())
		if _, err := s.users.Save(ctx, tx, after); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.post.notice(ctx, tx, s.scope.Tenant, u, mailx.EmailChanged)
	})
	return err
}
