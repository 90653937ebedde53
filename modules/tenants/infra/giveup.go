package infra

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/pg"
)

// answerTimeout is how long a placement may take to answer before it counts as
// one that does not.
const answerTimeout = 5 * time.Second

// Standing implements service.Transfer.
func (t *Transfer) Standing(ctx context.Context, c domain.Copy) (s domain.Standing, err error) {
	s.Source, s.Target = t.answers(ctx, c.From), t.answers(ctx, c.To)
	state, err := t.state(ctx, c)
	switch {
	case err != nil:
		return s, err
	case c.Step == domain.Cleaning:
		s.Fate = domain.FateArrived
	case c.Step == domain.Undoing: // that was decided once it was known
		s.Fate = domain.FateStays
	case state.Step == pg.MoveSwitched || state.Step == pg.MoveCleaning:
		s.Fate = domain.FateSwitched
	case s.Source == nil:
		s.Fate, err = t.fate(ctx, c, s.Target == nil)
	}
	return s, err
}

// fate asks the source, which waits for a switch that is under way.
func (t *Transfer) fate(ctx context.Context, c domain.Copy, target bool) (domain.Fate, error) {
	from, err := t.carriers.Of(c.From)
	if err != nil {
		return domain.FateUnknown, err
	}
	keeps, err := from.Keeps(ctx, c.Schema)
	switch {
	case err != nil:
		return domain.FateUnknown, unmoved(err)
	case keeps:
		return domain.FateStays, nil
	}
	switch gone, err := from.HasGivenUp(ctx, c.Schema); {
	case err != nil:
		return domain.FateUnknown, unmoved(err)
	case !gone:
		return domain.FateLost, nil
	case target:
		return t.fateThere(ctx, c)
	}
	return domain.FateSwitched, nil
}

// fateThere tells whether it is this target to which the source has given the
// tenant up.
func (t *Transfer) fateThere(ctx context.Context, c domain.Copy) (domain.Fate, error) {
	switch _, err := t.Switched(ctx, c); {
	case err == nil:
		return domain.FateSwitched, nil
	case errors.Is(err, pg.ErrMovedElsewhere):
		return domain.FateLost, nil
	default:
		return domain.FateUnknown, unmoved(err)
	}
}

// answers returns why a placement does not answer. One that is configured here
// no longer counts as one that does not.
func (t *Transfer) answers(ctx context.Context, placement string) error {
	carrier, err := t.carriers.Of(placement)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return carrier.Ping(ctx)
}

// Settle implements service.Transfer.
func (t *Transfer) Settle(ctx context.Context, c domain.Copy) error {
	to, err := t.carriers.Of(c.To)
	if err != nil {
		return err
	}
	return unmoved(to.Settle(ctx, c.Schema))
}

// Remains lists what moves that were given up have left, by placement.
func (t *Transfer) Remains(ctx context.Context) (all []domain.Remains, err error) {
	err = t.copies.read(ctx, func(db pg.DBTX) error {
		rows, err := t.q.Remains(ctx, db)
		for _, r := range rows {
			all = append(all, toRemains(r))
		}
		return err
	})
	return all, err
}

func toRemains(r tenantsdb.ControlRemain) domain.Remains {
	return domain.Remains{ID: r.ID, Tenant: r.TenantID, Placement: r.Placement, Schema: r.SchemaName, NotedAt: r.NotedAt}
}

// Sweep removes what a move that was given up has left. Nothing is done when
// that is not noted any more: a later move may have begun to use it.
func (t *Transfer) Sweep(ctx context.Context, id uuid.UUID) error {
	r, err := t.noted(ctx, id)
	if err != nil || r.ID == uuid.Nil {
		return err
	}
	carrier, err := t.carriers.Of(r.Placement)
	if err != nil {
		return err
	}
	err = carrier.Sweep(ctx, r.Schema, func() (bool, error) {
		now, err := t.noted(ctx, id)
		if err != nil || now.ID == uuid.Nil {
			return false, err
		}
		return true, t.mirror.write(ctx, r.Placement, func(db pg.DBTX) error { return t.q.DropMirrored(ctx, db, r.Tenant, r.Placement) })
	})
	if errors.Is(err, pg.ErrTaken) {
		return jobs.ErrTaken
	}
	if err != nil {
		return unmoved(err)
	}
	return t.Forget(ctx, id)
}

// noted finds what is noted; it is zero when nothing is, any more.
func (t *Transfer) noted(ctx context.Context, id uuid.UUID) (r domain.Remains, err error) {
	err = t.copies.read(ctx, func(db pg.DBTX) error {
		row, err := t.q.GetRemains(ctx, db, id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		r = toRemains(row)
		return err
	})
	return r, err
}

// Forget takes away the note of what a placement keeps, without looking at it.
func (t *Transfer) Forget(ctx context.Context, id uuid.UUID) error {
	return t.copies.write(ctx, func(db pg.DBTX) error { return t.q.ForgetRemains(ctx, db, id) })
}
