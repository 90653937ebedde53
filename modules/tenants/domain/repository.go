package domain

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Spec selects tenants of a list.
type Spec struct {
	Status tenants.Status // empty for every status
}

// Matches is the rule that the list query implements.
func (s Spec) Matches(t Tenant) bool { return s.Status == "" || s.Status == t.Status }

// Repository keeps the registry in the control schema. Its Tx is the
// landlord's, or the control schema's own.
type Repository interface {
	// Insert adds a tenant; ErrSlugTaken, ErrLandlordTaken.
	Insert(ctx context.Context, tx uow.Tx, t Tenant) error
	// Get finds a tenant; ErrNotFound.
	Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (Tenant, error)
	// Lock is Get, and keeps others from changing the tenant until the end of
	// the unit of work.
	Lock(ctx context.Context, tx uow.Tx, id uuid.UUID) (Tenant, error)
	// List pages through tenants, newest first.
	List(ctx context.Context, tx uow.Tx, s Spec, r page.Request) (page.Page[Tenant], error)
	// Update stores name and status of the version given and returns the next
	// version; ErrNotFound, errs.ErrPreconditionFailed.
	Update(ctx context.Context, tx uow.Tx, t Tenant) (Tenant, error)
	// Activate marks a provisioned tenant as active.
	Activate(ctx context.Context, tx uow.Tx, t Tenant) error

	// Begin adds long work.
	Begin(ctx context.Context, tx uow.Tx, o Operation) error
	// Operation finds long work; ErrNoOperation.
	Operation(ctx context.Context, tx uow.Tx, id uuid.UUID) (Operation, error)
	// Progress updates the running work of a kind on a tenant.
	Progress(ctx context.Context, tx uow.Tx, o Operation) error
}
