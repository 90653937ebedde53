package domain

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Repository keeps the roles and the own permissions of a tenant.
type Repository interface {
	// Policy is what all roles give now.
	Policy(ctx context.Context, tx uow.Tx, landlord bool) (*Policy, error)
	// Advance begins a change of what roles give: it makes a new version of
	// the policy, keeps others from changing it until the unit of work is
	// over, and returns the policy as it is before the change.
	Advance(ctx context.Context, tx uow.Tx, landlord bool) (*Policy, error)
	// Get returns ErrNotFound when there is no such role.
	Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (Role, error)
	// List pages through all roles, the newest first.
	List(ctx context.Context, tx uow.Tx, p page.Request) (page.Page[Role], error)
	// Insert returns ErrNameTaken when another role has the name.
	Insert(ctx context.Context, tx uow.Tx, r Role) error
	// Save stores a changed role and returns it at its next version.
	Save(ctx context.Context, tx uow.Tx, r Role) (Role, error)
	// Replace puts a role in another's place: as a parent, and for the users
	// who have it, as long as they had it.
	Replace(ctx context.Context, tx uow.Tx, gone, by uuid.UUID) error
	// Delete removes a role that nobody has any more; else it returns ErrInUse.
	Delete(ctx context.Context, tx uow.Tx, id uuid.UUID) error

	// InsertPermission keeps a permission of the tenant's own.
	InsertPermission(ctx context.Context, tx uow.Tx, c Custom) error
	// DeletePermission forgets one.
	DeletePermission(ctx context.Context, tx uow.Tx, name string) error
}
