package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Get and List show users.
var (
	Get  = op.Read("users.get", "See a user.", op.About("user"))
	List = op.Read("users.list", "List and search users.", op.About("user"))
)

// Get returns one user.
func (s *Users) Get(ctx context.Context, id uuid.UUID) (Person, error) {
	return op.Do(ctx, s.run, Get.On(id.String()), func(tx uow.Tx) (Person, error) {
		u, err := s.users.Find(ctx, tx, id)
		if err != nil {
			return Person{}, err
		}
		return s.shown(ctx, tx, s.scope, u)
	})
}

// Search says which users to list. Role is the name of a role they have.
type Search struct {
	domain.Spec
	Role string
}

// List returns a page of users. A role that does not exist is nobody's.
func (s *Users) List(ctx context.Context, search Search, r page.Request) (page.Page[Person], error) {
	return op.Do(ctx, s.run, List, func(tx uow.Tx) (page.Page[Person], error) {
		if search.Role != "" {
			holders, err := s.roles.Holders(ctx, tx, search.Role)
			if err != nil {
				return page.Page[Person]{}, err
			}
			search.Among = append([]uuid.UUID{}, holders...) // not nil: nobody, rather than everybody
		}
		found, err := s.users.List(ctx, tx, search.Spec, r)
		if err != nil || len(found.Items) == 0 {
			return page.Page[Person]{}, err
		}
		ids := make([]uuid.UUID, len(found.Items))
		for i, u := range found.Items {
			ids[i] = u.ID
		}
		held, err := s.roles.Of(ctx, tx, ids)
		if err != nil {
			return page.Page[Person]{}, err
		}
		people := make([]Person, len(found.Items))
		for i, u := range found.Items {
			people[i] = Person{User: u, Roles: held[u.ID].Names, Ends: held[u.ID].Ends}
		}
		return page.Page[Person]{Items: people, Next: found.Next}, nil
	})
}
