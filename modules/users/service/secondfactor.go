package service

import (
	"context"
	"errors"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// The second factor of one's own account.
var (
	SetUpSecondFactor   = op.Write("me.mfa.set_up", "Set up an authenticator app as second factor.", op.SignedIn, op.About("user"))
	ConfirmSecondFactor = op.Write("me.mfa.confirm", "Confirm the authenticator app with a code and get recovery codes.", op.SignedIn, op.About("user"))
	RemoveSecondFactor  = op.Write("me.mfa.remove", "Remove the second factor.", op.SignedIn, op.About("user"))
)

// Seed is what an authenticator app is set up with. It is shown once.
type Seed struct {
	Text secret.Value // base32, to type in
	URL  secret.Value // otpauth, for a QR code
}

// sealedSeed is a Seed as it is kept, sealed, for a request that comes again.
type sealedSeed struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// factorView is what the trail keeps of a second factor.
type factorView struct {
	SecondFactor bool `json:"second_factor"`
}

// SetUpSecondFactor draws the seed of an authenticator, which counts once
// ConfirmSecondFactor has seen a code. It returns domain.ErrCurrentPassword,
// and domain.ErrSecondFactorSet when there is a confirmed one.
func (s *Me) SetUpSecondFactor(ctx context.Context, password secret.Value) (Seed, error) {
	slot, err := s.Hasher.Reserve(ctx, s.scope.Tenant.ID)
	if err != nil {
		return Seed{}, err
	}
	defer slot.Release()
	e, err := op.Do(ctx, s.run, SetUpSecondFactor.On(s.id().String()), func(tx uow.Tx) (Envelope, error) {
		u, err := s.proved(ctx, tx, password, slot)
		if err != nil {
			return Envelope{}, err
		}
		if u.SecondFactor {
			return Envelope{}, domain.ErrSecondFactorSet
		}
		return s.newSeed(ctx, tx, u)
	})
	if err != nil {
		return Seed{}, err
	}
	var out sealedSeed
	err = s.post.unseal(SetUpSecondFactor, e, &out)
	return Seed{Text: secret.New(out.Text), URL: secret.New(out.URL)}, err
}

func (s *Me) newSeed(ctx context.Context, tx uow.Tx, u domain.User) (Envelope, error) {
	seed, err := domain.NewSeed(s.random)
	if err != nil {
		return Envelope{}, err
	}
	if err := s.factors.Put(ctx, tx, domain.Authenticator{UserID: u.ID, Seed: seed}, s.clock.Now()); err != nil {
		return Envelope{}, err
	}
	return s.post.seal(SetUpSecondFactor, sealedSeed{
		Text: domain.SeedText(seed).Reveal(), URL: domain.SeedURL(seed, s.scope.Tenant.Name, u.Email).Reveal(),
	})
}

// ConfirmSecondFactor makes the authenticator count from the next login on,
// ends all other sessions and returns the recovery codes, which are shown
// once. It returns domain.ErrCode for a wrong code.
func (s *Me) ConfirmSecondFactor(ctx context.Context, code string) ([]secret.Value, error) {
	e, err := op.Do(ctx, s.run, ConfirmSecondFactor.On(s.id().String()), func(tx uow.Tx) (Envelope, error) {
		u, err := s.lock(ctx, tx, s.id())
		if err != nil {
			return Envelope{}, err
		}
		a, err := s.factors.Lock(ctx, tx, u.ID)
		if err != nil {
			return Envelope{}, err
		}
		if a.ConfirmedAt != nil {
			return Envelope{}, domain.ErrSecondFactorSet
		}
		step, ok := a.Step(code, s.clock.Now())
		if !ok {
			return Envelope{}, domain.ErrCode
		}
		return s.strengthen(ctx, tx, u, step)
	})
	if err != nil {
		return nil, err
	}
	return s.shownCodes(ConfirmSecondFactor, e)
}

// strengthen confirms the authenticator and draws the recovery codes.
func (s *Me) strengthen(ctx context.Context, tx uow.Tx, u domain.User, step int64) (Envelope, error) {
	now := s.clock.Now()
	if err := s.factors.Confirm(ctx, tx, u.ID, step, now); err != nil {
		return Envelope{}, err
	}
	tx.Trail().Changed(factorView{}, factorView{SecondFactor: true})
	u, err := s.users.Save(ctx, tx, u.Strengthen(now))
	if err != nil {
		return Envelope{}, err
	}
	if err := s.settle(ctx, tx, u, mailx.SecondFactorSet); err != nil {
		return Envelope{}, err
	}
	return s.newCodes(ctx, tx, ConfirmSecondFactor, u)
}

// RemoveSecondFactor takes the second factor away and ends all other
// sessions. It returns domain.ErrCurrentPassword, domain.ErrShortPassword
// when the password could not stand alone, and domain.ErrSecondFactorKept
// where everybody needs one.
func (s *Me) RemoveSecondFactor(ctx context.Context, password secret.Value) error {
	slot, err := s.Hasher.Reserve(ctx, s.scope.Tenant.ID)
	if err != nil {
		return err
	}
	defer slot.Release()
	_, err = op.Do(ctx, s.run, RemoveSecondFactor.On(s.id().String()), func(tx uow.Tx) (struct{}, error) {
		u, err := s.proved(ctx, tx, password, slot)
		switch {
		case err != nil:
			return struct{}{}, err
		case !u.SecondFactor:
			return struct{}{}, domain.ErrNoSecondFactor
		case s.policies.Of(s.scope.Tenant).SecondFactor:
			return struct{}{}, domain.ErrSecondFactorKept
		}
		if u, err = u.Weaken(password, s.clock.Now()); err != nil {
			return struct{}{}, err
		}
		tx.Trail().Changed(factorView{SecondFactor: true}, factorView{})
		if u, err = s.users.Save(ctx, tx, u); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, errors.Join(s.factors.Remove(ctx, tx, u.ID), s.settle(ctx, tx, u, mailx.SecondFactorRemoved))
	})
	return err
}
