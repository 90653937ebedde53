package infra

import (
	"context"

	"github.com/insulahq/insula/modules/usage"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Database measures what a tenant's schema takes up.
type Database struct{}

// Measure implements usage.Meter.
func (Database) Measure(ctx context.Context, tx uow.Tx) ([]usage.Amount, error) {
	bytes, err := pg.SchemaBytes(ctx, tx)
	return []usage.Amount{{Name: "database.bytes", Unit: "bytes", Value: bytes}}, err
}
