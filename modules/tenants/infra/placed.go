package infra

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// What is made in a placement, a tenant or another schema for one, is decided
// there, in the transaction that completes it: from then on the entry of the
// tenant names its schema, and of which version that is. The registry follows
// in a transaction of its own. Whoever takes the work up in between finds the
// entry as it is, and has nothing left to do but that.

// Announce brings the entry of a tenant that is to be made to its placement;
// domain.ErrAway, domain.ErrSameDatabase. Nobody is let in by it.
func (m *Mirror) Announce(ctx context.Context, t domain.Tenant) error {
	if t.Home() == tenancy.MainPlacement {
		return nil
	}
	return m.prepare(ctx, t.Home(), func(db pg.DBTX) error { return m.announce(ctx, db, t) })
}

// announce adds the entry of a tenant that is to be made, if it is not there.
func (m *Mirror) announce(ctx context.Context, db pg.DBTX, t domain.Tenant) error {
	return m.q.AnnounceTenant(ctx, db, tenantsdb.AnnounceTenantParams(entryOf(t)))
}

// prepare is write for the first thing that is done for a tenant in a placement.
func (m *Mirror) prepare(ctx context.Context, placement string, fn func(db pg.DBTX) error) error {
	err := m.write(ctx, placement, func(db pg.DBTX) error {
		main, err := m.q.IsRegistry(ctx, db)
		if err == nil && main {
			err = domain.ErrSameDatabase
		}
		if err != nil {
			return err
		}
		return fn(db)
	})
	if e, ok := errs.As(err); ok && (e.Kind == errs.Unavailable || e.Kind == errs.Timeout) {
		return domain.ErrAway.Because(err)
	}
	return err
}

// Open has the registry follow what was made of a tenant in its placement, and
// lets it in there.
func (m *Mirror) Open(ctx context.Context, id uuid.UUID, now time.Time) (t domain.Tenant, err error) {
	control, err := m.owners(tenancy.MainPlacement)
	if err != nil {
		return t, err
	}
	err = control.Write(ctx, func(tx uow.Tx) (err error) { t, err = m.follow(ctx, pg.DB(tx), id, now); return err })
	return t, pg.Translate(err, domain.ErrNotFound, nil)
}

// follow is Open within a transaction of the registry.
func (m *Mirror) follow(ctx context.Context, db pg.DBTX, id uuid.UUID, now time.Time) (domain.Tenant, error) {
	row, err := m.q.LockTenant(ctx, db, id)
	t := toTenant(row)
	if err != nil || t.Home() == tenancy.MainPlacement {
		return t, err
	}
	there, err := m.Entry(ctx, t.Home(), id)
	if err != nil {
		return t, err
	}
	if t.Status != tenancy.Provisioning && t.Schema == there.Schema {
		return t, nil // it has
	}
	there.UpdatedAt = now
	return m.adopt(ctx, db, t, there)
}

// adopt has the registry say what the placement has made of a tenant's rows; one
// that was being made is let in by that.
func (m *Mirror) adopt(ctx context.Context, db pg.DBTX, t, there domain.Tenant) (domain.Tenant, error) {
	row, err := m.q.FollowTenant(ctx, db, tenantsdb.FollowTenantParams{
		SchemaName: there.Schema, SchemaVersion: there.SchemaVersion, UpdatedAt: there.UpdatedAt, ID: t.ID,
	})
	if err != nil {
		return t, err
	}
	return toTenant(row), m.Push(ctx, toTenant(row))
}

// Take gives the placement in which a copy makes a schema to an attempt: none
// that began before can do anything there any more, alive or not. It reports
// whether one of them has come to its end, and only the registry is to follow.
func (l *Copies) Take(ctx context.Context, c domain.Copy) (arrived bool, err error) {
	if !c.Elsewhere() {
		return false, nil
	}
	t, err := l.Tenant(ctx, c.Target)
	if err != nil {
		return false, err
	}
	err = l.held(ctx, c, domain.Copying, func(pg.DBTX) error {
		return l.mirror.prepare(ctx, c.House(), func(db pg.DBTX) error { return l.fence(ctx, db, c, t) })
	})
	if err != nil {
		return false, err
	}
	there, err := l.mirror.Entry(ctx, c.House(), c.Target)
	return there.Made() && there.Schema == c.Schema, err
}

// fence tells a placement which attempt has the copy, and of a tenant that is
// new.
func (l *Copies) fence(ctx context.Context, db pg.DBTX, c domain.Copy, t domain.Tenant) error {
	n, err := l.q.FenceCopy(ctx, db, tenantsdb.FenceCopyParams{
		OperationID: c.Operation, Kind: string(c.Kind), Step: string(domain.Copying), SourceID: c.Source, TargetID: c.Target,
		Attempts: int32(c.Attempts), ToPlacement: c.To,
	})
	if err == nil && n == 0 {
		err = domain.ErrOvertaken
	}
	if err != nil || !c.New() {
		return err
	}
	return l.mirror.announce(ctx, db, t)
}

// arrive decides a copy in the placement, in the transaction that completes its
// schema.
func (l *Copies) arrive(ctx context.Context, db pg.DBTX, c domain.Copy, old string, version int64) error {
	n, err := l.q.HouseSchema(ctx, db, tenantsdb.HouseSchemaParams{
		SchemaName: c.Schema, SchemaVersion: version, UpdatedAt: l.clock.Now(), ID: c.Target, OldSchema: old,
	})
	if err == nil && n == 0 {
		err = domain.ErrReplaced
	}
	return pg.Translate(err, nil, nil)
}

// Follow has the registry follow a copy that has arrived in its placement.
func (l *Copies) Follow(ctx context.Context, c domain.Copy) error {
	return l.held(ctx, c, domain.Copying, func(db pg.DBTX) error {
		if _, err := l.mirror.follow(ctx, db, c.Target, l.clock.Now()); err != nil {
			return err
		}
		if err := l.unfence(ctx, c); err != nil {
			return err
		}
		if c.New() {
			return l.succeed(ctx, db, c)
		}
		return l.q.SetCopyStep(ctx, db, string(domain.Cleaning), c.Operation)
	})
}

// unfence takes away what a placement knows of a copy that is over there.
func (l *Copies) unfence(ctx context.Context, c domain.Copy) error {
	return l.mirror.write(ctx, c.House(), func(db pg.DBTX) error { return l.q.UnfenceCopy(ctx, db, c.Operation) })
}

// leave takes away what a placement knows of a copy that was undone, and of the
// tenant that never came to life. Where the placement turned out to be the main
// one under another name, there is nothing, and all that is found is the
// registry's own.
func (l *Copies) leave(ctx context.Context, c domain.Copy) error {
	if !c.Elsewhere() {
		return nil
	}
	return l.mirror.write(ctx, c.House(), func(db pg.DBTX) error {
		if main, err := l.q.IsRegistry(ctx, db); err != nil || main {
			return err
		}
		if err := l.q.UnfenceCopy(ctx, db, c.Operation); err != nil || !c.New() {
			return err
		}
		return l.q.ForgetTenant(ctx, db, c.Target)
	})
}
