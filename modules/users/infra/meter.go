package infra

import (
	"context"

	"github.com/insulahq/insula/modules/usage"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Measure implements usage.Meter.
func (r *Users) Measure(ctx context.Context, tx uow.Tx) ([]usage.Amount, error) {
	rows, err := r.q.CountUsers(ctx, pg.DB(tx))
	if err != nil {
		return nil, pg.Translate(err, nil, nil)
	}
	var amounts []usage.Amount
	for _, n := range rows {
		amounts = append(amounts, usage.Amount{Name: "users.active", Unit: "users", Value: n.Active}, usage.Amount{Name: "users.total", Unit: "users", Value: n.Total})
	}
	return amounts, nil
}
