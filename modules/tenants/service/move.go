package service

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Move brings a tenant to another database; MoveTenant is its background side,
// GiveUpMove ends one that cannot go on, and Relocated tells the trails of both
// sides when a tenant has come to another place.
var (
	Move       = op.Write("tenants.move", "Bring a tenant to another placement while it works.", op.Landlord, op.About("tenant"))
	MoveTenant = op.Job("tenants.relocate", "Bring what a tenant has in the database to another placement.", op.About("tenant"), op.Long, op.Recorded)
	Relocated  = op.Job("tenants.relocated", "Note that a tenant works in another placement from now on.", op.About("tenant"))
	GiveUpMove = op.Job("tenants.move.give_up", "End a move one of whose servers is gone for good, at the command line.", op.About("tenant"), op.Recorded)
)

// Move begins to bring a tenant to another placement. It works on meanwhile;
// at the end its writers wait for a moment. It returns domain.ErrFrozen while
// the fleet is frozen, and domain.ErrBusy while the tenant is being copied.
func (s *Backups) Move(ctx context.Context, tenant uuid.UUID, placement string) (Begun, error) {
	return op.Do(ctx, s.run, Move.On(tenant.String()), func(tx uow.Tx) (Begun, error) {
		t, err := s.claim(ctx, tx, tenant, domain.CopyMove)
		if err != nil {
			return Begun{}, err
		}
		c, err := domain.Moving(s.ids.New(), t, placement, s.houses)
		if err != nil {
			return Begun{}, err
		}
		frozen, err := s.repo.Frozen(ctx, tx)
		if err == nil && frozen {
			err = domain.ErrFrozen
		}
		if err != nil {
			return Begun{}, err
		}
		tx.Trail().Changed(domain.PlacedView{Placement: c.From}, domain.PlacedView{Placement: c.To})
		work, err := s.begin(ctx, tx, c)
		s.witness(tx, t.Tenant, Move, s.run.Caller())
		return Begun{Operation: work, Tenant: t}, err
	})
}

// Transfer brings what a tenant has in the database from one placement to
// another: see infra.Transfer.
type Transfer interface {
	// Move ends with the tenant at work in its new place. It goes on from where
	// an earlier attempt has come to.
	Move(ctx context.Context, c domain.Copy, told func(done, all int64)) (domain.Moved, error)
	// Switched reports whether the old place has given the tenant up: from then
	// on there is only the way forward.
	Switched(ctx context.Context, c domain.Copy) (bool, error)
	// Clean removes what is left in the old place.
	Clean(ctx context.Context, c domain.Copy) error
	// Undo removes what there is in the new place, before the old one has given
	// the tenant up.
	Undo(ctx context.Context, c domain.Copy) error
	// Standing finds out how both sides are. When it says that the tenant stays
	// at the source, no attempt that began before c is able to change that.
	Standing(ctx context.Context, c domain.Copy) (domain.Standing, error)
	// Settle does what cleaning does for the new place, without the old one.
	Settle(ctx context.Context, c domain.Copy) error
}

// relocate does what is left of a move.
func (s *Copying) relocate(ctx context.Context, c domain.Copy) error {
	switch c.Step {
	case domain.Copying:
		moved, err := s.transfer.Move(ctx, c, s.progress(ctx, c, 0, 90))
		if err != nil {
			return err
		}
		s.live.Forget(c.Target)
		// Told first: an attempt that ends in between is followed by one that tells it again.
		if err := s.relocated(ctx, c); err != nil {
			return err
		}
		if err := s.copies.Moved(ctx, c, moved); err != nil {
			return err
		}
		c.Step = domain.Cleaning
	case domain.Undoing:
		return s.undo(ctx, c)
	case domain.Over:
		return nil
	}
	if err := s.transfer.Clean(ctx, c); err != nil {
		return err
	}
	return s.copies.Cleaned(ctx, c, nil)
}

// relocated tells the operator's trail and the tenant's own that the tenant
// works in its new place.
func (s *Copying) relocated(ctx context.Context, c domain.Copy) error {
	landlord, err := s.landlord(ctx)
	if err != nil {
		return err
	}
	t, err := s.copies.Tenant(ctx, c.Target)
	if err != nil {
		return err
	}
	by := authn.Caller{Kind: authn.Job, Label: Relocated.Name}
	for _, in := range []domain.Tenant{landlord, t} {
		err := s.jobs.Visit(ctx, in.Tenant, Relocated, by, func(tx uow.Tx) error {
			tx.Trail().On(Relocated.Kind, t.ID.String(), t.Slug)
			tx.Trail().Changed(domain.PlacedView{Placement: c.From}, domain.PlacedView{Placement: c.To})
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// beyond reports whether a copy cannot be undone any more, or whether that is
// not to be known now.
func (s *Copying) beyond(ctx context.Context, c domain.Copy) bool {
	if c.Kind != domain.CopyMove {
		arrived, err := s.copies.Take(ctx, c)
		return arrived || err != nil && !errors.Is(err, domain.ErrSameDatabase) // which has taken nothing in
	}
	switched, err := s.transfer.Switched(ctx, c)
	return err != nil || switched
}
