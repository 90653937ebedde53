package infra

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/files/infra/internal/filesdb"
	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Keeper implements tenants.Keeper: the contents of files, of earlier versions
// and of deleted files that can still be had back.
type Keeper struct{ q *filesdb.Queries }

// NewKeeper makes the keeper of a process.
func NewKeeper() *Keeper { return &Keeper{q: filesdb.New()} }

// Objects implements tenants.Keeper.
func (k *Keeper) Objects(ctx context.Context, tx uow.Tx, after uuid.UUID, limit int) ([]tenants.Object, error) {
	rows, err := k.q.KeptObjects(ctx, pg.DB(tx), after, int32(limit))
	if err != nil {
		return nil, pg.Translate(err, nil, nil)
	}
	objects := make([]tenants.Object, len(rows))
	for i, row := range rows {
		objects[i] = tenants.Object{ID: row.ObjectID, Size: row.Size, Needed: row.Needed}
	}
	return objects, nil
}

// Bytes implements tenants.Keeper.
func (k *Keeper) Bytes(ctx context.Context, tx uow.Tx) (int64, error) {
	taken, err := k.q.GetUsage(ctx, pg.DB(tx), wholeTenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return taken.Bytes, pg.Translate(err, nil, nil)
}
