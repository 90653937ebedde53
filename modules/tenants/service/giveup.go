package service

import (
	"context"
	"errors"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/uow"
)

// takeovers bounds how often a move is taken over from a process that has begun
// another attempt in between.
const takeovers = 5

// GiveUp ends the move of a tenant one of whose servers is gone for good, or
// takes it back where both answer: see domain.Copy.GiveUp. It works without the
// server that is gone. What that server has is noted, and removed when it
// answers again. The transaction is that of GiveUpMove, and holds the record.
func (s *Copying) GiveUp(ctx context.Context, tx uow.Tx, t domain.Tenant) (c domain.Copy, e domain.Ending, err error) {
	tx.Trail().On(GiveUpMove.Kind, t.ID.String(), t.Slug)
	for attempt := 1; ; attempt++ {
		c, e, err = s.giveUp(ctx, t)
		if attempt == takeovers || !errors.Is(err, domain.ErrOvertaken) {
			break
		}
	}
	if err == nil {
		tx.Trail().Changed(nil, e.View(c))
	}
	return c, e, err
}

// giveUp takes the move over first: whoever is at it cannot switch any more.
func (s *Copying) giveUp(ctx context.Context, t domain.Tenant) (c domain.Copy, e domain.Ending, err error) {
	if c, err = s.copies.MoveOf(ctx, t.ID); err != nil {
		return c, e, err
	}
	if c, err = s.copies.Begin(ctx, c); err != nil {
		return c, e, err
	}
	standing, err := s.transfer.Standing(ctx, c)
	if err != nil {
		return c, e, err
	}
	if e, err = c.GiveUp(standing); err != nil {
		return c, e, err
	}
	if standing.Fate == domain.FateArrived {
		if err := s.transfer.Settle(ctx, c); err != nil {
			return c, e, err
		}
	}
	return c, e, s.copies.GaveUp(ctx, c, e, s.ids.New())
}
