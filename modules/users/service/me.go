package service

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// What everybody can do about their own account.
var (
	GetMe          = op.Read("me.get", "See your own account.", op.SignedIn, op.About("user"))
	UpdateMe       = op.Write("me.update", "Change your own name, locale or time zone.", op.SignedIn, op.About("user"))
	SetMyPassword  = op.Write("me.password.set", "Change your own password and end all other sessions.", op.SignedIn, op.About("user"))
	ListMySessions = op.Read("me.sessions.list", "List your own sessions.", op.SignedIn, op.About("session"))
	EndMySession   = op.Write("me.sessions.end", "End one of your own sessions.", op.SignedIn, op.About("session"))
)

// Me is a signed-in user's own account.
type Me struct {
	*Access
	scope scope.Request
	run   *op.Runner
}

// NewMe makes the service of one request.
func NewMe(r scope.Request, run *op.Runner, a *Access) *Me {
	return &Me{Access: a, scope: r, run: run}
}

func (s *Me) id() uuid.UUID { return s.scope.Caller.ID }

// Get returns the caller.
func (s *Me) Get(ctx context.Context) (Person, error) {
	return op.Do(ctx, s.run, GetMe.On(s.id().String()), func(tx uow.Tx) (Person, error) {
		u, err := s.users.Find(ctx, tx, s.id())
		if err != nil {
			return Person{}, err
		}
		return s.shown(ctx, tx, s.scope, u)
	})
}

// Update changes the caller's profile; the address has a way of its own.
// Version is the one the caller read, or domain.AnyVersion.
func (s *Me) Update(ctx context.Context, version int64, c domain.Change) (Person, error) {
	c.Email = nil
	return op.Do(ctx, s.run, UpdateMe.On(s.id().String()), func(tx uow.Tx) (Person, error) {
		_, after, err := s.change(ctx, tx, s.id(), version, func(u domain.User, now time.Time) (domain.User, error) {
			return u.Edit(c, now)
		})
		if err != nil {
			return Person{}, err
		}
		return s.person(ctx, tx, after)
	})
}

// passwordView records that a password was changed; it prints redacted.
type passwordView struct {
	Password secret.Value `json:"password"`
}

// SetPassword changes the caller's password and ends all sessions but the
// one it is changed from. It returns domain.ErrCurrentPassword, and
// domain.ErrThrottled after too many of those.
func (s *Me) SetPassword(ctx context.Context, current, next secret.Value) error {
	slot, err := s.Hasher.Reserve(ctx, s.scope.Tenant.ID)
	if err != nil {
		return err
	}
	defer slot.Release()
	_, err = op.Do(ctx, s.run, SetMyPassword.On(s.id().String()), func(tx uow.Tx) (struct{}, error) {
		now, subjects := s.clock.Now(), s.subjects()
		if err := s.free(ctx, tx, now, subjects); err != nil {
			return struct{}{}, err
		}
		u, err := s.users.Find(ctx, tx, s.id()) // not locked: hashing takes long, and Save checks the version
		if err != nil {
			return struct{}{}, err
		}
		aim(tx, u)
		if u, err = u.Rekey(current, next, slot, now); errors.Is(err, domain.ErrCurrentPassword) {
			return struct{}{}, s.missed(ctx, tx, now, err, subjects)
		} else if err != nil {
			return struct{}{}, err
		}
		tx.Trail().Changed(passwordView{}, passwordView{})
		if u, err = s.users.Save(ctx, tx, u); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.settle(ctx, tx, u, mailx.PasswordChanged)
	})
	return err
}

// subjects are what wrong passwords of somebody who is signed in count
// against: the session may have been found open.
func (s *Me) subjects() []domain.Subject {
	return []domain.Subject{domain.CodeSubject(s.id().String())}
}

// proved returns the caller's user, locked, if the password is right. A wrong
// one is counted.
func (s *Me) proved(ctx context.Context, tx uow.Tx, password secret.Value, slot domain.HashSlot) (domain.User, error) {
	now, subjects := s.clock.Now(), s.subjects()
	if err := s.free(ctx, tx, now, subjects); err != nil {
		return domain.User{}, err
	}
	u, err := s.lock(ctx, tx, s.id())
	if err != nil {
		return u, err
	}
	if err := u.Proves(password, slot); err != nil {
		return u, s.missed(ctx, tx, now, err, subjects)
	}
	return u, nil
}

// settle ends all sessions but this one after a credential has changed,
// forgets wrong passwords, and tells the user.
func (s *Me) settle(ctx context.Context, tx uow.Tx, u domain.User, what mailx.Event) error {
	return errors.Join(
		s.sessions.EndAll(ctx, tx, u.ID, s.scope.Caller.Session, u.UpdatedAt),
		s.attempts.Forget(ctx, tx, s.subjects()...),
		s.post.notice(ctx, tx, s.scope.Tenant, u, what),
	)
}

// Sessions returns a page of the caller's live sessions, newest first.
func (s *Me) Sessions(ctx context.Context, r page.Request) (page.Page[domain.Session], error) {
	return op.Do(ctx, s.run, ListMySessions, func(tx uow.Tx) (page.Page[domain.Session], error) {
		return s.live(ctx, tx, s.scope.Tenant, s.id(), r)
	})
}

// EndSession ends one of the caller's sessions, the current one included. It
// returns domain.ErrSessionNotFound for everybody else's.
func (s *Me) EndSession(ctx context.Context, id uuid.UUID) error {
	_, err := op.Do(ctx, s.run, EndMySession.On(id.String()), func(tx uow.Tx) (struct{}, error) {
		tx.Trail().Changed(sessionView{Session: id}, sessionView{Session: id, Ended: true})
		return struct{}{}, s.sessions.End(ctx, tx, s.id(), id, s.clock.Now())
	})
	return err
}
