package service

import (
	"context"

	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// ListPermissions is the declaration of reading what roles are made of.
var ListPermissions = op.Read("permissions.list", "List the permissions that roles of the tenant can hold.")

// Permissions lists the operations that a role of this tenant can hold, by
// name.
func (s *Roles) Permissions(ctx context.Context) ([]op.Def, error) {
	return op.Do(ctx, s.run, ListPermissions, func(uow.Tx) ([]op.Def, error) {
		var here []op.Def
		for _, d := range s.registry.Grantable() {
			if s.landlord || d.Guard != op.ByLandlord {
				here = append(here, d)
			}
		}
		return here, nil
	})
}
