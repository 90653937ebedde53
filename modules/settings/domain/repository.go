// Package domain holds the rules for changing what a tenant has set.
package domain

import (
	"context"
	"encoding/json"
	"time"

	"github.com/insulahq/insula/platform/uow"
)

// Stored is one value that a tenant has set.
type Stored struct {
	Name      string
	Value     json.RawMessage
	ChangedAt time.Time
}

// Repository keeps what a tenant has set, in the tenant's schema.
type Repository interface {
	// Version is the version of all settings; 0 before the first change.
	Version(ctx context.Context, tx uow.Tx) (int64, error)
	// Advance takes the next version, and keeps others from taking one until
	// the end of the unit of work.
	Advance(ctx context.Context, tx uow.Tx) (int64, error)
	// All lists what is set, by name.
	All(ctx context.Context, tx uow.Tx) ([]Stored, error)
	// Put sets a value.
	Put(ctx context.Context, tx uow.Tx, s Stored) error
	// Remove takes back what was set.
	Remove(ctx context.Context, tx uow.Tx, name string) error
}
