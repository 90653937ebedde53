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

// Verify is the second step of a login.
var Verify = op.Write("auth.mfa.verify", "Finish signing in with a code of the second factor.",
	op.Public("The challenge proves that the password was right."), op.About("user"))

// challenge is what a client takes to the second step.
func (s *Auth) challenge(u domain.User, device secret.Value) (secret.Value, error) {
	return domain.NewChallenge(u, device, s.clock.Now()).Seal(s.challengeKey, s.scope.Tenant.ID, s.random)
}

// Verify begins the session of a login whose password was right. The code is
// one of the authenticator or a recovery code; either works once. It returns
// domain.ErrSecondFactor for a wrong one, domain.ErrThrottled after too many,
// and domain.ErrChallenge when the login has to start again.
func (s *Auth) Verify(ctx context.Context, text secret.Value, code secret.Value) (Tokens, error) {
	return op.Do(ctx, s.run, Verify, func(tx uow.Tx) (Tokens, error) {
		c, err := domain.OpenChallenge(s.challengeKey, s.scope.Tenant.ID, text, s.clock.Now())
		if err != nil {
			return Tokens{}, err
		}
		u, err := s.challenged(ctx, tx, c)
		if err != nil {
			return Tokens{}, err
		}
		device, now := secret.New(c.Device), s.clock.Now()
		subjects := []domain.Subject{domain.CodeSubject(u.ID.String())}
		if !device.IsZero() {
			subjects = []domain.Subject{domain.DeviceSubject(domain.DigestOf(device))}
		}
		if err := s.free(ctx, tx, now, subjects); err != nil {
			return Tokens{}, err
		}
		if err := s.spend(ctx, tx, u, code.Reveal()); errors.Is(err, domain.ErrSecondFactor) {
			return Tokens{}, s.missed(ctx, tx, now, err, subjects)
		} else if err != nil {
			return Tokens{}, err
		}
		return s.welcome(ctx, tx, u, device, append(subjects, domain.AccountSubject(u.Email.String())))
	})
}

// challenged returns the user of a challenge, if nothing has changed since
// the password was right.
func (s *Auth) challenged(ctx context.Context, tx uow.Tx, c domain.Challenge) (domain.User, error) {
	u, err := s.lock(ctx, tx, c.User)
	if errors.Is(err, domain.ErrNotFound) {
		return u, domain.ErrChallenge
	}
	if err != nil {
		return u, err
	}
	if !c.Answers(u) {
		return u, domain.ErrChallenge
	}
	return u, nil
}

// spend uses up a code, or returns domain.ErrSecondFactor.
func (s *Auth) spend(ctx context.Context, tx uow.Tx, u domain.User, code string) error {
	a, err := s.factors.Lock(ctx, tx, u.ID)
	if err != nil {
		return err
	}
	if step, ok := a.Step(code, s.clock.Now()); ok {
		return s.factors.Use(ctx, tx, u.ID, step)
	}
	taken, err := s.factors.TakeCode(ctx, tx, u.ID, domain.RecoveryDigest(u.ID, code))
	if err != nil {
		return err
	}
	if !taken {
		return domain.ErrSecondFactor
	}
	return s.post.notice(ctx, tx, s.scope.Tenant, u, mailx.RecoveryCodeUsed)
}
