package service

import (
	"context"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// List is the declaration of listing roles.
var List = op.Read("roles.list", "List the roles of the tenant and what they grant.", op.About("role"))

// List pages through the roles, each with the permissions that it grants.
func (s *Roles) List(ctx context.Context, p page.Request) (page.Page[domain.Role], error) {
	return op.Do(ctx, s.run, List, func(tx uow.Tx) (page.Page[domain.Role], error) {
		found, err := s.roles.List(ctx, tx, p)
		if err != nil {
			return found, err
		}
		for i, r := range found.Items {
			found.Items[i] = s.effective(r)
		}
		return found, nil
	})
}
