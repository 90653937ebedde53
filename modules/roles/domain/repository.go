package domain

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Repository reads the roles of a tenant.
type Repository interface {
	// Get returns ErrNotFound when there is no such role.
	Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (Role, error)
	// List pages through all roles, the newest first.
	List(ctx context.Context, tx uow.Tx, p page.Request) (page.Page[Role], error)
}
