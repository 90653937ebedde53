package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Suspend, Resume and Delete decide whether a user can be here.
var (
	Suspend = op.Write("users.suspend", "Keep a user from signing in and end all sessions.", op.About("user"))
	Resume  = op.Write("users.resume", "Let a suspended user sign in again.", op.About("user"))
	Delete  = op.Write("users.delete", "Remove a user.", op.About("user"))
)

// Suspend ends all sessions of a user, at once, and keeps new ones from
// beginning. Nobody can suspend themselves or the last owner.
func (s *Users) Suspend(ctx context.Context, id uuid.UUID) (Person, error) {
	return op.Do(ctx, s.run, Suspend.On(id.String()), func(tx uow.Tx) (Person, error) {
		if err := s.notSelf(id); err != nil {
			return Person{}, err
		}
		_, after, err := s.manage(ctx, tx, id, domain.AnyVersion, domain.User.Suspend)
		if err != nil {
			return Person{}, err
		}
		if err := s.roles.Suspendable(ctx, tx, id); err != nil {
			return Person{}, err
		}
		if err := s.sessions.EndAll(ctx, tx, id, uuid.Nil, after.UpdatedAt); err != nil {
			return Person{}, err
		}
		return s.person(ctx, tx, after)
	})
}

// Resume lets a suspended user in again. The sessions stay ended.
func (s *Users) Resume(ctx context.Context, id uuid.UUID) (Person, error) {
	return op.Do(ctx, s.run, Resume.On(id.String()), func(tx uow.Tx) (Person, error) {
		_, after, err := s.manage(ctx, tx, id, domain.AnyVersion, domain.User.Resume)
		if err != nil {
			return Person{}, err
		}
		return s.person(ctx, tx, after)
	})
}

// Delete removes a user with roles, sessions, tokens and keys; what the user did
// stays in the trail. Nobody can delete themselves or the last owner.
func (s *Users) Delete(ctx context.Context, id uuid.UUID, version int64) error {
	_, err := op.Do(ctx, s.run, Delete.On(id.String()), func(tx uow.Tx) (struct{}, error) {
		return struct{}{}, s.remove(ctx, tx, id, version)
	})
	return err
}

func (s *Users) remove(ctx context.Context, tx uow.Tx, id uuid.UUID, version int64) error {
	u, err := s.lock(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := s.notSelf(id); err != nil {
		return err
	}
	if err := u.At(version); err != nil {
		return err
	}
	if err := s.roles.MayManage(ctx, tx, s.scope.Caller, id); err != nil {
		return err
	}
	p, err := s.person(ctx, tx, u)
	if err != nil {
		return err
	}
	if err := s.roles.Release(ctx, tx, id); err != nil {
		return err
	}
	tx.Trail().Changed(p.View(p.told()...), nil)
	return s.users.Delete(ctx, tx, u)
}
