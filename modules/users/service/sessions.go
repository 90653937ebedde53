package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// The sessions of other people.
var (
	ListSessions = op.Read("users.sessions.list", "List the sessions of a user.", op.About("user"))
	EndSession   = op.Write("users.sessions.end", "End one session of a user.", op.About("user"))
	EndSessions  = op.Write("users.sessions.end_all", "End all sessions of a user.", op.About("user"))
)

// live returns a page of a user's live sessions, newest first.
func (a *Access) live(ctx context.Context, tx uow.Tx, t tenancy.Tenant, user uuid.UUID, r page.Request) (page.Page[domain.Session], error) {
	return a.sessions.ListLive(ctx, tx, user, a.clock.Now(), a.policies.Of(t).Lifetimes, r)
}

// Sessions returns a page of a user's live sessions, newest first.
func (s *Users) Sessions(ctx context.Context, user uuid.UUID, r page.Request) (page.Page[domain.Session], error) {
	return op.Do(ctx, s.run, ListSessions.On(user.String()), func(tx uow.Tx) (page.Page[domain.Session], error) {
		if _, err := s.users.Find(ctx, tx, user); err != nil {
			return page.Page[domain.Session]{}, err
		}
		return s.live(ctx, tx, s.scope.Tenant, user, r)
	})
}

// EndSession ends one session of a user whom the caller may manage. It
// returns domain.ErrSessionNotFound unless the user has it.
func (s *Users) EndSession(ctx context.Context, user, session uuid.UUID) error {
	_, err := op.Do(ctx, s.run, EndSession.On(user.String()), func(tx uow.Tx) (struct{}, error) {
		if err := s.mayEnd(ctx, tx, user); err != nil {
			return struct{}{}, err
		}
		tx.Trail().Changed(sessionView{Session: session}, sessionView{Session: session, Ended: true})
		return struct{}{}, s.sessions.End(ctx, tx, user, session, s.clock.Now())
	})
	return err
}

// EndSessions ends all sessions of a user whom the caller may manage.
func (s *Users) EndSessions(ctx context.Context, user uuid.UUID) error {
	_, err := op.Do(ctx, s.run, EndSessions.On(user.String()), func(tx uow.Tx) (struct{}, error) {
		if err := s.mayEnd(ctx, tx, user); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.sessions.EndAll(ctx, tx, user, uuid.Nil, s.clock.Now())
	})
	return err
}

func (s *Users) mayEnd(ctx context.Context, tx uow.Tx, user uuid.UUID) error {
	if _, err := s.lock(ctx, tx, user); err != nil { // a login under way is waited for, and ended with the others
		return err
	}
	return s.roles.MayManage(ctx, tx, s.scope.Caller, user)
}
