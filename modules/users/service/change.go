package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Update and SetRoles change a user.
var (
	Update   = op.Write("users.update", "Change the name or e-mail address of a user.", op.About("user"))
	SetRoles = op.Write("users.roles.set", "Choose the roles of a user.", op.About("user"))
)

// Update changes name or e-mail address. Version is the one the caller read,
// or domain.AnyVersion. An open invitation follows the user to a new address;
// the one that was sent to the old address ends.
func (s *Users) Update(ctx context.Context, id uuid.UUID, version int64, c domain.Change) (Person, error) {
	return op.Do(ctx, s.run, Update.On(id.String()), func(tx uow.Tx) (Person, error) {
		before, after, err := s.manage(ctx, tx, id, version, func(u domain.User, now time.Time) (domain.User, error) {
			return u.Edit(c, now)
		})
		if err != nil {
			return Person{}, err
		}
		if after.Status == domain.Invited && after.Email.Key() != before.Email.Key() {
			if err := s.inviter.send(ctx, tx, s.scope, after); err != nil {
				return Person{}, err
			}
		}
		if after.Status == domain.Active && after.Email.Key() != before.Email.Key() {
			if err := s.post.notice(ctx, tx, s.scope.Tenant, before, mailx.EmailChanged); err != nil {
				return Person{}, err
			}
		}
		return s.person(ctx, tx, after)
	})
}

// SetRoles replaces the roles of a user, and says when those end that do. It
// holds at the user's next request.
func (s *Users) SetRoles(ctx context.Context, id uuid.UUID, version int64, names []string, ends roles.Ends) (Person, error) {
	return op.Do(ctx, s.run, SetRoles.On(id.String()), func(tx uow.Tx) (Person, error) {
		u, err := s.lock(ctx, tx, id)
		if err != nil {
			return Person{}, err
		}
		if err := u.At(version); err != nil {
			return Person{}, err
		}
		before, err := s.person(ctx, tx, u)
		if err != nil {
			return Person{}, err
		}
		if err := s.roles.MayManage(ctx, tx, s.scope.Caller, id); err != nil {
			return Person{}, err
		}
		if err := s.roles.Set(ctx, tx, s.scope.Caller, id, names, ends); err != nil {
			return Person{}, err
		}
		if u, err = s.users.Save(ctx, tx, u.Regrant(s.clock.Now())); err != nil {
			return Person{}, err
		}
		after, err := s.person(ctx, tx, u)
		tx.Trail().Changed(before.View(before.told()...), after.View(after.told()...))
		return after, err
	})
}
