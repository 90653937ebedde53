package service

import (
	"context"

	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// List is the declaration of listing roles.
var List = op.Read("roles.list", "List the roles of the tenant and what they grant.", op.About("role"))

// List pages through the roles, each with the permissions that it grants.
func (s *Roles) List(ctx context.Context, p page.Request) (page.Page[Shown], error) {
	return op.Do(ctx, s.run, List, func(tx uow.Tx) (page.Page[Shown], error) {
		found, err := s.roles.List(ctx, tx, p)
		if err != nil {
			return page.Page[Shown]{}, err
		}
		policy, err := s.current(ctx, tx)
		if err != nil {
			return page.Page[Shown]{}, err
		}
		out := page.Page[Shown]{Items: make([]Shown, len(found.Items)), Next: found.Next}
		for i, r := range found.Items {
			out.Items[i] = show(policy, r)
		}
		return out, nil
	})
}
