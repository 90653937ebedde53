package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Create, Update and Delete change the tenant's own roles. What they change
// holds at the next request of everybody concerned, on every node.
var (
	Create = op.Write("roles.create", "Make a role.", op.About("role"))
	Update = op.Write("roles.update", "Change what a role grants, what it inherits, and its description.", op.About("role"))
	Delete = op.Write("roles.delete", "Delete a role, or put another in its place.", op.About("role"))
)

// Create makes a role that holds no more than the caller does.
func (s *Roles) Create(ctx context.Context, d domain.Draft) (Shown, error) {
	return op.Do(ctx, s.run, Create, func(tx uow.Tx) (Shown, error) {
		policy, err := s.roles.Advance(ctx, tx, s.landlord())
		if err != nil {
			return Shown{}, err
		}
		r, err := policy.Make(s.ids.New(), d, s.clock.Now())
		if err != nil {
			return Shown{}, err
		}
		tx.Trail().On("role", r.ID.String(), r.Name)
		after, err := s.allowed(policy, r)
		if err != nil {
			return Shown{}, err
		}
		tx.Trail().Changed(nil, after.View(r))
		return show(after, r), s.roles.Insert(ctx, tx, r)
	})
}

// Update changes a role at a version, or at domain.AnyVersion. The caller must
// hold all that the role grants, before and after.
func (s *Roles) Update(ctx context.Context, id uuid.UUID, version int64, c domain.Change) (Shown, error) {
	return op.Do(ctx, s.run, Update.On(id.String()), func(tx uow.Tx) (Shown, error) {
		policy, before, err := s.advance(ctx, tx, id, version)
		if err != nil {
			return Shown{}, err
		}
		r, err := policy.Edit(before, c, s.clock.Now())
		if err != nil {
			return Shown{}, err
		}
		after, err := s.allowed(policy, r)
		if err != nil {
			return Shown{}, err
		}
		tx.Trail().Changed(policy.View(before), after.View(r))
		r, err = s.roles.Save(ctx, tx, r)
		return show(after, r), err
	})
}

// Delete removes a role at a version, or at domain.AnyVersion. While users or
// other roles have it, another role must take its place; uuid.Nil names none.
func (s *Roles) Delete(ctx context.Context, id uuid.UUID, version int64, replacement uuid.UUID) error {
	_, err := op.Do(ctx, s.run, Delete.On(id.String()), func(tx uow.Tx) (struct{}, error) {
		policy, r, err := s.advance(ctx, tx, id, version)
		if err != nil {
			return struct{}{}, err
		}
		if r.BuiltIn {
			return struct{}{}, domain.ErrBuiltIn
		}
		tx.Trail().Changed(policy.View(r), nil)
		if replacement != uuid.Nil {
			if err := s.replace(ctx, tx, policy, r, replacement); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, s.roles.Delete(ctx, tx, id)
	})
	return err
}

func (s *Roles) replace(ctx context.Context, tx uow.Tx, policy *domain.Policy, gone domain.Role, by uuid.UUID) error {
	if _, there := policy.Find(by); !there || by == gone.ID {
		return domain.ErrReplacement
	}
	if !policy.MayPass(s.scope.Caller.Grants, by) {
		return domain.ErrBeyondYou
	}
	if _, err := policy.Replacing(gone.ID, by); err != nil {
		return err
	}
	return s.roles.Replace(ctx, tx, gone.ID, by)
}

// advance begins the change of a role that the caller may change.
func (s *Roles) advance(ctx context.Context, tx uow.Tx, id uuid.UUID, version int64) (*domain.Policy, domain.Role, error) {
	policy, err := s.roles.Advance(ctx, tx, s.landlord())
	if err != nil {
		return nil, domain.Role{}, err
	}
	r, there := policy.Find(id)
	if !there {
		return nil, r, domain.ErrNotFound
	}
	tx.Trail().On("role", id.String(), r.Name)
	if err := r.At(version); err != nil {
		return nil, r, err
	}
	if !policy.MayPass(s.scope.Caller.Grants, id) {
		return nil, r, domain.ErrBeyondYou
	}
	return policy, r, nil
}

// allowed is the policy with a role as it is to be, if the caller holds all
// that the role then grants.
func (s *Roles) allowed(policy *domain.Policy, r domain.Role) (*domain.Policy, error) {
	after, err := policy.With(r)
	if err != nil {
		return nil, err
	}
	if !after.MayPass(s.scope.Caller.Grants, r.ID) {
		return nil, domain.ErrBeyondYou
	}
	return after, nil
}
