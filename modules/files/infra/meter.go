package infra

import (
	"context"

	"github.com/insulahq/insula/modules/usage"
	"github.com/insulahq/insula/platform/uow"
)

// Measure implements usage.Meter: what counts against the quota.
func (r *Repository) Measure(ctx context.Context, tx uow.Tx) ([]usage.Amount, error) {
	taken, err := r.Usage(ctx, tx)
	return []usage.Amount{
		{Name: "files.count", Unit: "files", Value: taken.Files},
		{Name: "files.bytes", Unit: "bytes", Value: taken.Bytes},
	}, err
}
