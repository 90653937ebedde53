package infra

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/infra/internal/usersdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Standing implements users.Standing.
type Standing struct{ q *usersdb.Queries }

// NewStanding makes what other modules ask about users.
func NewStanding() *Standing { return &Standing{q: usersdb.New()} }

// AnyActive implements users.Standing.
func (s *Standing) AnyActive(ctx context.Context, tx uow.Tx, ids []uuid.UUID) (bool, error) {
	active, err := s.q.AnyActiveUser(ctx, pg.DB(tx), ids)
	return active, pg.Translate(err, nil, nil)
}

// Active implements users.Standing.
func (s *Standing) Active(ctx context.Context, tx uow.Tx, ids []uuid.UUID) ([]uuid.UUID, error) {
	active, err := s.q.ActiveUsers(ctx, pg.DB(tx), ids)
	return active, pg.Translate(err, nil, nil)
}
