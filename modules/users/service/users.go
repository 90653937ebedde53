package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

// Users is the tenant's people as those see them who manage them.
type Users struct {
	*Access
	scope   scope.Request
	run     *op.Runner
	inviter *Inviter
	ids     id.Source
}

// NewUsers makes the service of one request.
func NewUsers(r scope.Request, run *op.Runner, a *Access, i *Inviter, ids id.Source) *Users {
	return &Users{Access: a, scope: r, run: run, inviter: i, ids: ids}
}

// manage is change for a user whom the caller may manage.
func (s *Users) manage(ctx context.Context, tx uow.Tx, id uuid.UUID, version int64, apply rule) (before, after domain.User, err error) {
	if before, after, err = s.change(ctx, tx, id, version, apply); err != nil {
		return before, after, err
	}
	return before, after, s.roles.MayManage(ctx, tx, s.scope.Caller, id)
}

// notSelf keeps people from locking themselves out.
func (s *Users) notSelf(user uuid.UUID) error {
	if s.scope.Caller.ID == user {
		return domain.ErrSelf
	}
	return nil
}
