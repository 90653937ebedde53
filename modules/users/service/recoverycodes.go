package service

import (
	"context"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// RenewRecoveryCodes replaces the recovery codes of one's own account.
var RenewRecoveryCodes = op.Write("me.mfa.renew_codes", "Replace your recovery codes by new ones.", op.SignedIn, op.About("user"))

// codesView records that recovery codes were replaced; it prints redacted.
type codesView struct {
	RecoveryCodes secret.Value `json:"recovery_codes"`
}

// RenewRecoveryCodes returns ten new recovery codes, which are shown once; the
// earlier ones work no more. It asks for the password and ends all other
// sessions, as every change of a credential does. It returns
// domain.ErrCurrentPassword, and domain.ErrNoSecondFactor when there is
// nothing to recover.
func (s *Me) RenewRecoveryCodes(ctx context.Context, password secret.Value) ([]secret.Value, error) {
	slot, err := s.Hasher.Reserve(ctx, s.scope.Tenant.ID)
	if err != nil {
		return nil, err
	}
	defer slot.Release()
	e, err := op.Do(ctx, s.run, RenewRecoveryCodes.On(s.id().String()), func(tx uow.Tx) (Envelope, error) {
		u, err := s.proved(ctx, tx, password, slot)
		switch {
		case err != nil:
			return Envelope{}, err
		case !u.SecondFactor:
			return Envelope{}, domain.ErrNoSecondFactor
		}
		tx.Trail().Changed(codesView{}, codesView{})
		u.UpdatedAt = s.clock.Now() // when its other sessions end
		if err := s.settle(ctx, tx, u, mailx.RecoveryCodesRenewed); err != nil {
			return Envelope{}, err
		}
		return s.newCodes(ctx, tx, RenewRecoveryCodes, u)
	})
	if err != nil {
		return nil, err
	}
	return s.shownCodes(RenewRecoveryCodes, e)
}

// newCodes draws and stores recovery codes. Their texts are sealed for the
// operation that shows them.
func (s *Me) newCodes(ctx context.Context, tx uow.Tx, d op.Def, u domain.User) (Envelope, error) {
	codes, err := domain.NewRecoveryCodes(s.random)
	if err != nil {
		return Envelope{}, err
	}
	texts, digests := make([]string, len(codes)), make([]domain.Digest, len(codes))
	for i, c := range codes {
		texts[i], digests[i] = c.Reveal(), domain.RecoveryDigest(u.ID, c.Reveal())
	}
	if err := s.factors.PutCodes(ctx, tx, u.ID, digests); err != nil {
		return Envelope{}, err
	}
	return s.post.seal(d, texts)
}

// shownCodes opens what newCodes has sealed.
func (s *Me) shownCodes(d op.Def, e Envelope) ([]secret.Value, error) {
	var texts []string
	err := s.post.unseal(d, e, &texts)
	codes := make([]secret.Value, len(texts))
	for i, text := range texts {
		codes[i] = secret.New(text)
	}
	return codes, err
}
