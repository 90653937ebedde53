package infra

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/infra/internal/usersdb"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/gate"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Gatekeeper implements gate.Sessions: on every request it tells, in one
// query, whether session and user still count.
type Gatekeeper struct {
	q     *usersdb.Queries
	clock clock.Clock
}

// NewGatekeeper makes the gatekeeper of a process.
func NewGatekeeper(c clock.Clock) *Gatekeeper { return &Gatekeeper{q: usersdb.New(), clock: c} }

// Session implements gate.Sessions.
func (g *Gatekeeper) Session(ctx context.Context, tx uow.Tx, id uuid.UUID) (gate.Session, error) {
	row, err := g.q.SessionState(ctx, pg.DB(tx), g.clock.Now(), id)
	if err != nil {
		return gate.Session{}, pg.Translate(err, errs.ErrUnauthenticated, nil)
	}
	return gate.Session{
		UserID: row.UserID, Label: row.Email, Live: row.Live,
		AccessVersion: row.AccessVersion, PolicyVersion: row.PolicyVersion,
	}, nil
}
