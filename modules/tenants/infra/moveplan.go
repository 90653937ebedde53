package infra

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/pg"
)

// MovePlans say what moves would do.
type MovePlans struct {
	placements *pg.Placements
	transfer   *Transfer
	repo       *Repository
	houses     domain.Houses
	q          *tenantsdb.Queries
}

// NewMovePlans makes the plans of a process.
func NewMovePlans(p *pg.Placements, t *Transfer, r *Repository, h domain.Houses) *MovePlans {
	return &MovePlans{placements: p, transfer: t, repo: r, houses: h, q: tenantsdb.New()}
}

// Plan refuses what the move of a tenant would be refused for or would fail by
// at once, and otherwise says how much there is to bring over. It changes
// nothing.
func (m *MovePlans) Plan(ctx context.Context, t domain.Tenant, to string) (domain.MovePlan, error) {
	c, err := domain.Moving(uuid.Nil, t, to, m.houses)
	if err != nil {
		return domain.MovePlan{}, err
	}
	if err := m.free(ctx, t); err != nil {
		return domain.MovePlan{}, err
	}
	if err := m.fit(ctx, c); err != nil {
		return domain.MovePlan{}, err
	}
	return m.estimate(ctx, t, c)
}

// free refuses a tenant that something else is done with, and a frozen fleet.
func (m *MovePlans) free(ctx context.Context, t domain.Tenant) error {
	return m.transfer.copies.read(ctx, func(db pg.DBTX) error {
		frozen, err := m.q.FleetFrozen(ctx, db)
		if err != nil {
			return err
		}
		if frozen {
			return domain.ErrFrozen
		}
		kinds, err := m.q.OpenCopiesOf(ctx, db, t.ID)
		if err != nil {
			return err
		}
		others := make([]domain.CopyKind, len(kinds))
		for i, k := range kinds {
			others[i] = domain.CopyKind(k)
		}
		return domain.CopyMove.Beside(others)
	})
}

// fit looks whether both places answer, are two databases, and have the control
// schema of the same version.
func (m *MovePlans) fit(ctx context.Context, c domain.Copy) error {
	var have [2]pg.Condition
	for i, name := range []string{c.From, c.To} {
		place, err := m.placements.Of(name)
		if err != nil {
			return err
		}
		if err := m.transfer.answers(ctx, name); err != nil {
			return domain.ErrAway.Because(fmt.Errorf("%s: %w", name, err))
		}
		if have[i], err = place.Condition(ctx); err != nil {
			return domain.ErrAway.Because(fmt.Errorf("%s: %w", name, err))
		}
	}
	if have[0].Control != have[1].Control || have[1].Pending > 0 {
		return domain.ErrPlacementBehind.Because(fmt.Errorf("%s is at %s, %s at %s", c.From, have[0].Control, c.To, have[1].Control))
	}
	mover, err := m.transfer.mover(c)
	if err != nil {
		return err
	}
	return unmoved(mover.Apart(ctx))
}

func (m *MovePlans) estimate(ctx context.Context, t domain.Tenant, c domain.Copy) (p domain.MovePlan, err error) {
	source, err := m.placements.Remover(c.From)
	if err != nil {
		return p, err
	}
	held, err := source.Holdings(ctx, t.Schema)
	if err != nil {
		return p, pg.Translate(err, nil, nil)
	}
	target, err := m.placements.Of(c.To)
	if err != nil {
		return p, err
	}
	size, err := target.Size(ctx)
	return domain.MovePlan{From: c.From, To: c.To, Tables: held.Tables, Rows: held.Rows, Bytes: held.Bytes, TargetBytes: size}, pg.Translate(err, nil, nil)
}
