package service

import (
	"context"
	"errors"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// Login and Logout begin and end a session.
var (
	Login = op.Write("auth.login", "Sign in with e-mail address and password.",
		op.Public("Whoever signs in has no token yet."), op.About("user"))
	Logout = op.Write("auth.logout", "End the current session.", op.SignedIn, op.About("user"))
)

// Credentials are what a user signs in with.
type Credentials struct {
	Email    string
	Password secret.Value
}

// Login begins a session. For an unknown address, a wrong password and a
// user who is not active it does the same work and returns the same
// domain.ErrCredentials.
func (s *Auth) Login(ctx context.Context, in Credentials) (Tokens, error) {
	slot, err := s.hasher.Reserve(ctx)
	if err != nil {
		return Tokens{}, err
	}
	defer slot.Release()
	return op.Do(ctx, s.run, Login, func(tx uow.Tx) (Tokens, error) {
		u, err := s.identify(ctx, tx, in, slot)
		if err != nil {
			return Tokens{}, err
		}
		tokens, session, err := s.issuer.begin(ctx, tx, s.scope.Tenant, u, s.scope.Caller.Origin)
		tx.Trail().Changed(nil, sessionView{Session: session.ID})
		return tokens, err
	})
}

// identify finds the active user with these credentials and keeps it from
// changing until tx ends.
func (s *Auth) identify(ctx context.Context, tx uow.Tx, in Credentials, slot domain.HashSlot) (domain.User, error) {
	u, err := s.find(ctx, tx, in.Email)
	if err != nil {
		return u, err
	}
	if !slot.Matches(u.PasswordHash, in.Password) || u.Status != domain.Active {
		return u, domain.ErrCredentials
	}
	// Comparing took its time, in which the user may have been suspended or
	// got another password; sessions that ended then must not be joined by a
	// new one.
	now, err := s.users.Lock(ctx, tx, u.ID)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return u, domain.ErrCredentials
	case err != nil:
		return u, err
	case now.Status != domain.Active || !now.PasswordHash.Equal(u.PasswordHash):
		return u, domain.ErrCredentials
	}
	return now, nil
}

// find returns the user with an address, or an empty one.
func (s *Auth) find(ctx context.Context, tx uow.Tx, email string) (domain.User, error) {
	address, err := domain.ParseEmail(email)
	var u domain.User
	if err == nil {
		u, err = s.users.FindByEmail(ctx, tx, address)
	}
	switch {
	case errors.Is(err, domain.ErrInvalid), errors.Is(err, domain.ErrNotFound):
		return domain.User{}, nil
	case err == nil:
		aim(tx, u)
	}
	return u, err
}

// Logout ends the caller's session. Its access tokens stop working at the
// next request.
func (s *Auth) Logout(ctx context.Context) error {
	me := s.scope.Caller
	_, err := op.Do(ctx, s.run, Logout.On(me.ID.String()), func(tx uow.Tx) (struct{}, error) {
		tx.Trail().On("user", me.ID.String(), me.Label)
		tx.Trail().Changed(sessionView{Session: me.Session}, sessionView{Session: me.Session, Ended: true})
		return struct{}{}, s.sessions.End(ctx, tx, me.ID, me.Session, s.clock.Now())
	})
	return err
}
