package infra

import (
	"context"

	"github.com/insulahq/insula/modules/usage"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Measure implements usage.Meter.
func (r *Users) Measure(ctx context.Context, tx uow.Tx) ([]usage.Amount, error) {
	n, err := r.q.CountUsers(ctx, pg.DB(tx))
	return []usage.Amount{
		{Name: "users.active", Unit: "users", Value: n.Active},
		{Name: "users.total", Unit: "users", Value: n.Total},
	}, pg.Translate(err, nil, nil)
}
