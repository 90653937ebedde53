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
	Device   secret.Value // from an earlier login of the same device; may be empty
}

// SignIn is how far a login got: it began a session, or asks for the second
// factor.
type SignIn struct {
	Tokens    Tokens
	Challenge secret.Value // set when the second step follows
}

// Login begins a session, or its second step when the user has a second
// factor. For an unknown address, a wrong password and a user who is not
// active it does the same work and returns the same domain.ErrCredentials;
// after too many of them, domain.ErrThrottled.
func (s *Auth) Login(ctx context.Context, in Credentials) (SignIn, error) {
	slot, err := s.Hasher.Reserve(ctx, s.scope.Tenant.ID)
	if err != nil {
		return SignIn{}, err
	}
	defer slot.Release()
	return op.Do(ctx, s.run, Login, func(tx uow.Tx) (SignIn, error) {
		now := s.clock.Now()
		known := domain.KnownDevice(s.deviceKey, s.scope.Tenant.ID, in.Email, in.Device)
		subjects := s.subjects(in, known)
		if err := s.free(ctx, tx, now, subjects); err != nil {
			return SignIn{}, err
		}
		u, err := s.identify(ctx, tx, in, slot)
		if errors.Is(err, domain.ErrCredentials) {
			return SignIn{}, s.missed(ctx, tx, now, err, subjects)
		}
		if err != nil {
			return SignIn{}, err
		}
		if !known {
			in.Device = secret.Value{}
		}
		return s.proceed(ctx, tx, u, in.Device, subjects[:1])
	})
}

// subjects are what a failed login counts against. A device that has signed
// in to the account before is judged by itself: what strangers do to the
// account, or others on its network do, does not slow it down.
func (s *Auth) subjects(in Credentials, known bool) []domain.Subject {
	if known {
		return []domain.Subject{domain.DeviceSubject(domain.DigestOf(in.Device))}
	}
	return []domain.Subject{domain.AccountSubject(in.Email), domain.NetworkSubject(s.scope.Caller.Origin.Addr)}
}

// proceed goes on after the password was right.
func (s *Auth) proceed(ctx context.Context, tx uow.Tx, u domain.User, device secret.Value, counted []domain.Subject) (SignIn, error) {
	if u.SecondFactor {
		c, err := s.challenge(u, device)
		return SignIn{Challenge: c}, err
	}
	tokens, err := s.welcome(ctx, tx, u, device, counted)
	return SignIn{Tokens: tokens}, err
}

// welcome begins the session of a user who has proved everything, and forgets
// the failures on the way.
func (s *Auth) welcome(ctx context.Context, tx uow.Tx, u domain.User, device secret.Value, counted []domain.Subject) (Tokens, error) {
	if err := s.attempts.Forget(ctx, tx, counted...); err != nil {
		return Tokens{}, err
	}
	tokens, session, err := s.issuer.begin(ctx, tx, s.scope.Tenant, u, s.scope.Caller.Origin)
	if err != nil {
		return Tokens{}, err
	}
	tx.Trail().Changed(nil, sessionView{Session: session.ID})
	if tokens.Device = device; device.IsZero() {
		tokens.Device, err = domain.NewDevice(s.deviceKey, s.scope.Tenant.ID, u.Email, s.random)
	}
	return tokens, err
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
	return s.rehash(ctx, tx, now, in.Password, slot)
}

// rehash moves a password that was just given to the current pepper and cost.
func (s *Auth) rehash(ctx context.Context, tx uow.Tx, u domain.User, password secret.Value, slot domain.HashSlot) (domain.User, error) {
	if !slot.Stale(u.PasswordHash) {
		return u, nil
	}
	hash, err := slot.Hash(password)
	if err != nil {
		return u, err
	}
	u.PasswordHash = hash
	return u, s.users.Rehash(ctx, tx, u.ID, hash)
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
