package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Get is the declaration of showing a role.
var Get = op.Read("roles.get", "Show a role and what it grants.", op.About("role"))

// Get shows one role with the permissions that it grants.
func (s *Roles) Get(ctx context.Context, id uuid.UUID) (Shown, error) {
	return op.Do(ctx, s.run, Get.On(id.String()), func(tx uow.Tx) (Shown, error) {
		r, err := s.roles.Get(ctx, tx, id)
		if err != nil {
			return Shown{}, err
		}
		policy, err := s.current(ctx, tx)
		if err != nil {
			return Shown{}, err
		}
		return show(policy, r), nil
	})
}
