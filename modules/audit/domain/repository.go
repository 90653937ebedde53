package domain

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Repository reads the trail of a tenant.
type Repository interface {
	// Get returns ErrNotFound when there is no such event.
	Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (Event, error)
	// List pages through the events that a spec finds, the newest first.
	List(ctx context.Context, tx uow.Tx, s Spec, p page.Request) (page.Page[Event], error)
}
