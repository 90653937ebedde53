package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// What everybody can do about their own account.
var (
	GetMe          = op.Read("me.get", "See your own account.", op.SignedIn, op.About("user"))
	UpdateMe       = op.Write("me.update", "Change your own name.", op.SignedIn, op.About("user"))
	SetMyPassword  = op.Write("me.password.set", "Change your own password and end all other sessions.", op.SignedIn, op.About("user"))
	ListMySessions = op.Read("me.sessions.list", "List your own sessions.", op.SignedIn, op.About("session"))
	EndMySession   = op.Write("me.sessions.end", "End one of your own sessions.", op.SignedIn, op.About("session"))
)

// Me is a signed-in user's own account.
type Me struct {
	*Directory
	scope    scope.Request
	run      *op.Runner
	sessions domain.Sessions
	hasher   domain.Hasher
}

// NewMe makes the service of one request.
func NewMe(r scope.Request, run *op.Runner, d *Directory, sessions domain.Sessions, h domain.Hasher) *Me {
	return &Me{Directory: d, scope: r, run: run, sessions: sessions, hasher: h}
}

func (s *Me) id() uuid.UUID { return s.scope.Caller.ID }

// Get returns the caller.
func (s *Me) Get(ctx context.Context) (Person, error) {
	return op.Do(ctx, s.run, GetMe.On(s.id().String()), func(tx uow.Tx) (Person, error) {
		u, err := s.users.Find(ctx, tx, s.id())
		if err != nil {
			return Person{}, err
		}
		return s.person(ctx, tx, u)
	})
}

// Update changes the caller's name. Version is the one the caller read, or
// domain.AnyVersion.
func (s *Me) Update(ctx context.Context, version int64, name string) (Person, error) {
	return op.Do(ctx, s.run, UpdateMe.On(s.id().String()), func(tx uow.Tx) (Person, error) {
		_, after, err := s.change(ctx, tx, s.id(), version, func(u domain.User, now time.Time) (domain.User, error) {
			return u.Edit(domain.Change{Name: &name}, now)
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
// one it is changed from. It returns domain.ErrCurrentPassword.
func (s *Me) SetPassword(ctx context.Context, current, next secret.Value) error {
	slot, err := s.hasher.Reserve(ctx)
	if err != nil {
		return err
	}
	defer slot.Release()
	_, err = op.Do(ctx, s.run, SetMyPassword.On(s.id().String()), func(tx uow.Tx) (struct{}, error) {
		u, err := s.users.Find(ctx, tx, s.id()) // not locked: hashing takes long, and Save checks the version
		if err != nil {
			return struct{}{}, err
		}
		aim(tx, u)
		if u, err = u.Rekey(current, next, slot, s.clock.Now()); err != nil {
			return struct{}{}, err
		}
		tx.Trail().Changed(passwordView{}, passwordView{})
		if u, err = s.users.Save(ctx, tx, u); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.sessions.EndAll(ctx, tx, u.ID, s.scope.Caller.Session, u.UpdatedAt)
	})
	return err
}

// Sessions returns a page of the caller's live sessions, newest first.
func (s *Me) Sessions(ctx context.Context, r page.Request) (page.Page[domain.Session], error) {
	return op.Do(ctx, s.run, ListMySessions, func(tx uow.Tx) (page.Page[domain.Session], error) {
		return s.sessions.ListLive(ctx, tx, s.id(), s.clock.Now(), r)
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
