package service

import (
	"context"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Create adds a user.
var Create = op.Write("users.create", "Add a user and send an invitation.", op.About("user"))

// NewUser is what is needed to add a user.
type NewUser struct {
	Email, Name string
	Roles       []string
}

// Create adds an invited user with roles the caller may hand out, and sends
// the invitation once both are durable.
func (s *Users) Create(ctx context.Context, in NewUser) (Person, error) {
	return op.Do(ctx, s.run, Create, func(tx uow.Tx) (Person, error) { return s.add(ctx, tx, in) })
}

func (s *Users) add(ctx context.Context, tx uow.Tx, in NewUser) (Person, error) {
	u, err := domain.Register(s.ids.New(), in.Email, in.Name, s.clock.Now())
	if err != nil {
		return Person{}, err
	}
	aim(tx, u)
	if err := s.users.Insert(ctx, tx, u); err != nil {
		return Person{}, err
	}
	if err := s.roles.Set(ctx, tx, s.scope.Caller, u.ID, in.Roles, nil); err != nil {
		return Person{}, err
	}
	p, err := s.person(ctx, tx, u)
	if err != nil {
		return Person{}, err
	}
	tx.Trail().Changed(nil, p.View(p.told()...))
	return p, s.inviter.send(ctx, tx, s.scope, u)
}
