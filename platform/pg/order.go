package pg

import (
	"context"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/uow"
)

// KeepOrder is for searches that end at a limit, before their statement: for
// the rest of a writing unit of work the server reads along the index that has
// the order, and never collects and sorts all that a common value has. In a
// reading one, where each statement stands alone, it changes nothing.
func KeepOrder(ctx context.Context, tx uow.Tx) error { return pgdb.New().KeepOrder(ctx, DB(tx)) }
