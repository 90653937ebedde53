package infra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Transfer brings tenants from one placement to another, and keeps the
// registries of both. The tenant is open in the one whose own registry says so,
// and at no instant do two: the old place gives it up in the transaction in
// which its last rows go, and only then the new one lets it in.
type Transfer struct {
	carriers *pg.Carriers
	copies   *Copies
	mirror   *Mirror
	clock    clock.Clock
	q        *tenantsdb.Queries
}

// NewTransfer makes the transfer of a process.
func NewTransfer(c *pg.Carriers, copies *Copies, m *Mirror, now clock.Clock) *Transfer {
	return &Transfer{carriers: c, copies: copies, mirror: m, clock: now, q: tenantsdb.New()}
}

func (t *Transfer) mover(c domain.Copy) (*pg.Mover, error) {
	from, err := t.carriers.Of(c.From)
	if err != nil {
		return nil, err
	}
	to, err := t.carriers.Of(c.To)
	return pg.NewMover(from, to, pg.MoveOptions{}), err
}

// Move implements service.Transfer.
func (t *Transfer) Move(ctx context.Context, c domain.Copy, told func(done, all int64)) (domain.Moved, error) {
	moved := domain.Moved{From: c.From, To: c.To}
	mover, err := t.mover(c)
	if err != nil {
		return moved, err
	}
	state, err := t.state(ctx, c)
	if err != nil {
		return moved, err
	}
	if err := t.ready(ctx, c, state, mover); err != nil {
		return moved, err
	}
	done, err := mover.Move(ctx, state, t.hooks(c, state, told))
	if errors.Is(err, pg.ErrMoveOutdated) {
		return moved, errors.Join(t.restart(ctx, c, mover), errs.ErrUnavailable.Because(err))
	}
	moved.WindowMS, moved.Rows, moved.Bytes = done.Window.Milliseconds(), done.Rows, done.Bytes
	return moved, unmoved(err)
}

// ready makes sure that both placements are as a move needs them, unless the old
// one has given the tenant up already and may be gone for good.
func (t *Transfer) ready(ctx context.Context, c domain.Copy, state pg.Moving, mover *pg.Mover) error {
	if state.Step != "" && state.Step != pg.MoveCopying {
		return nil
	}
	if err := mover.Apart(ctx); err != nil {
		return unmoved(err)
	}
	return t.announce(ctx, c)
}

// restart takes back what an attempt has made that cannot go on.
func (t *Transfer) restart(ctx context.Context, c domain.Copy, mover *pg.Mover) error {
	if err := mover.Undo(ctx, c.Schema); err != nil {
		return err
	}
	return t.keep(ctx, c, pg.Moving{Schema: c.Schema})
}

// Switched implements service.Transfer.
func (t *Transfer) Switched(ctx context.Context, c domain.Copy) (bool, error) {
	mover, err := t.mover(c)
	if err != nil {
		return false, err
	}
	return mover.Switched(ctx, c.Schema)
}

// Clean implements service.Transfer.
func (t *Transfer) Clean(ctx context.Context, c domain.Copy) error {
	mover, err := t.mover(c)
	if err != nil {
		return err
	}
	state, err := t.state(ctx, c)
	if err != nil {
		return err
	}
	if err := mover.Clean(ctx, state, t.hooks(c, state, func(int64, int64) {})); err != nil {
		return unmoved(err)
	}
	return t.drop(ctx, c.From, c.Target)
}

// Undo implements service.Transfer.
func (t *Transfer) Undo(ctx context.Context, c domain.Copy) error {
	mover, err := t.mover(c)
	if err != nil {
		return err
	}
	err = mover.Undo(ctx, c.Schema)
	if errors.Is(err, pg.ErrSameDatabase) {
		return nil // nothing was made, and the entry there is the tenant's own
	}
	if err != nil {
		return unmoved(err)
	}
	return t.drop(ctx, c.To, c.Target)
}

// announce brings the entry of the tenant, which stays closed there, to the
// placement that is to house it. Its row here is locked meanwhile, so that
// nothing older comes over something newer.
func (t *Transfer) announce(ctx context.Context, c domain.Copy) error {
	if err := t.mirror.Mend(ctx, c.Target); err != nil { // the version of its rows must be the right one
		return err
	}
	return t.copies.held(ctx, c, c.Step, func(db pg.DBTX) error {
		row, err := t.q.LockTenant(ctx, db, c.Target)
		if err != nil {
			return pg.Translate(err, domain.ErrNotFound, nil)
		}
		// This move removes or uses what is there under that name.
		err = t.q.ReclaimRemains(ctx, db, c.To, c.Target, c.Schema)
		if err != nil || c.To == tenancy.MainPlacement { // which has the entries of all
			return err
		}
		return errors.Join(t.drop(ctx, c.To, c.Target), t.mirror.Put(ctx, c.To, toTenant(row)))
	})
}

// arrive has the target's registry know of which version the rows are that it
// has got, and of the tenant if it does not any more. Usually it does.
func (t *Transfer) arrive(ctx context.Context, tx uow.Tx, c domain.Copy, version int64) error {
	there, err := t.q.GetTenant(ctx, pg.DB(tx), c.Target)
	if err == nil && there.SchemaVersion == version || err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	tenant, err := t.copies.Tenant(ctx, c.Target)
	if err != nil {
		return err
	}
	p := entryOf(tenant)
	p.SchemaVersion = version
	return t.q.ArriveMirrored(ctx, pg.DB(tx), tenantsdb.ArriveMirroredParams(p))
}

// drop removes the entry of a tenant from a placement that does not house it;
// the registry itself keeps it.
func (t *Transfer) drop(ctx context.Context, placement string, tenant uuid.UUID) error {
	if placement == tenancy.MainPlacement {
		return nil
	}
	return t.mirror.write(ctx, placement, func(db pg.DBTX) error {
		return errors.Join(t.q.DropMirrored(ctx, db, tenant, placement), t.q.ForgetMoving(ctx, db, tenant))
	})
}

// state is how far the move has come.
func (t *Transfer) state(ctx context.Context, c domain.Copy) (s pg.Moving, err error) {
	s.Schema = c.Schema
	err = t.copies.read(ctx, func(db pg.DBTX) error {
		kept, err := t.q.MoveState(ctx, db, c.Operation)
		if err != nil || kept == nil {
			return err
		}
		return json.Unmarshal(kept, &s)
	})
	return s, err
}

func (t *Transfer) keep(ctx context.Context, c domain.Copy, s pg.Moving) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("state of a move: %w", err)
	}
	return t.copies.held(ctx, c, c.Step, func(db pg.DBTX) error { return t.q.KeepMoveState(ctx, db, text, c.Operation) })
}

func (t *Transfer) hooks(c domain.Copy, kept pg.Moving, told func(done, all int64)) pg.MoveHooks {
	return pg.MoveHooks{
		Keep:     func(ctx context.Context, s pg.Moving) error { kept = s; return t.keep(ctx, c, s) },
		Arrive:   func(ctx context.Context, tx uow.Tx) error { return t.arrive(ctx, tx, c, kept.Version) },
		Leave:    func(ctx context.Context, tx uow.Tx) error { return t.leave(ctx, tx, c) },
		Open:     func(ctx context.Context) error { return t.open(ctx, c) },
		Progress: func(p pg.MoveProgress) { told(p.Bytes, p.Of) },
	}
}

// leave has the old place say that the tenant is in the new one. Only the
// attempt that has the move may do so.
func (t *Transfer) leave(ctx context.Context, tx uow.Tx, c domain.Copy) error {
	if c.From == tenancy.MainPlacement {
		if err := t.copies.Hold(ctx, tx, c, domain.Copying); err != nil {
			return err
		}
	} else if err := t.copies.held(ctx, c, domain.Copying, func(pg.DBTX) error { return nil }); err != nil {
		return err
	}
	return t.place(ctx, pg.DB(tx), c)
}

func (t *Transfer) place(ctx context.Context, db pg.DBTX, c domain.Copy) error {
	n, err := t.q.PlaceTenant(ctx, db, tenantsdb.PlaceTenantParams{
		ToPlacement: c.To, UpdatedAt: t.clock.Now(), ID: c.Target, FromPlacement: c.From,
	})
	if err == nil && n == 0 {
		err = domain.ErrReplaced
	}
	return pg.Translate(err, nil, nil)
}

// open has the tenant let in at its new place, as the registry has it now: it
// may have been suspended under way. Who changes that waits meanwhile.
func (t *Transfer) open(ctx context.Context, c domain.Copy) error {
	return t.copies.held(ctx, c, domain.Copying, func(db pg.DBTX) error {
		row, err := t.q.LockTenant(ctx, db, c.Target)
		if err != nil {
			return err
		}
		if row.Placement == c.From {
			if err := t.place(ctx, db, c); err != nil {
				return err
			}
			row.Version++
		}
		if c.To == tenancy.MainPlacement {
			return nil
		}
		return t.mirror.write(ctx, c.To, func(db pg.DBTX) error {
			n, err := t.q.OpenMirrored(ctx, db, tenantsdb.OpenMirroredParams{
				Slug: row.Slug, Name: row.Name, Status: row.Status, Version: row.Version, UpdatedAt: row.UpdatedAt, Placement: c.To, ID: c.Target,
			})
			if err == nil && n == 0 {
				err = fmt.Errorf("placement %s does not know the tenant", c.To)
			}
			return err
		})
	})
}

// unmoved declares the errors of a move that will come again.
func unmoved(err error) error {
	switch {
	case errors.Is(err, pg.ErrSameDatabase):
		return domain.ErrSameDatabase.Because(err)
	case errors.Is(err, pg.ErrMoveBusy):
		return domain.ErrMoveBusy.Because(err)
	case errors.Is(err, pg.ErrMoveDiffers):
		return domain.ErrMoveDiffers.Because(err)
	}
	return explained(err)
}
