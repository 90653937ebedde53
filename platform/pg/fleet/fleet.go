// Package fleet brings the schemas of all tenants to a new version and tells
// in which state they are.
//
// What is known of a tenant is its own history of migrations, a copy of its
// version in the control schema, and how the last attempt ended. All three
// change in the transaction that changes the schema, so a process that is
// killed leaves a tenant at the old version or at the new one, no lock, and
// nothing to clean up: the next run takes those that are still behind.
package fleet

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Fleet is all tenants, of all placements.
type Fleet struct {
	placements *pg.Placements
	migrator   *pg.Migrator // of the main placement, which has the registry
	clock      clock.Clock
	q          *pgdb.Queries
}

// New makes the fleet that migrators look after.
func New(p *pg.Placements, c clock.Clock) *Fleet {
	return &Fleet{placements: p, migrator: p.Main(), clock: c, q: pgdb.New()}
}

// Tenant is a tenant as the fleet sees it.
type Tenant struct {
	ID       uuid.UUID `json:"id"`
	Slug     string    `json:"slug"`
	Schema   string    `json:"schema"`
	Version  int64     `json:"version"`
	Failed   bool      `json:"failed"`             // its last attempt did
	Attempts int32     `json:"attempts,omitempty"` // on the version of the last one
	Error    string    `json:"error,omitempty"`    // of the last attempt

	Placement string `json:"placement"`

	landlord bool
}

// Selection says which tenants are meant; empty means all.
type Selection struct {
	Slugs  []string
	Failed bool // only those whose last attempt failed
}

// Plan is what is to be done.
type Plan struct {
	Target int64    `json:"target"` // the newest version that this binary knows
	Behind []Tenant `json:"behind"` // in the order in which they will be taken
	Moving []Tenant `json:"moving"` // behind, too, but being moved to another placement: they are taken later
	Newer  int      `json:"newer"`  // tenants beyond the target, which are left alone
}

const stateFailed, stateDone = "failed", "done"

// Plan finds out what is to be done. It is one query, whatever the number of
// tenants, and takes no lock.
func (f *Fleet) Plan(ctx context.Context, s Selection) (Plan, error) {
	p := Plan{Target: f.migrator.TenantVersion(), Behind: []Tenant{}, Moving: []Tenant{}}
	if err := f.checkSlugs(ctx, s.Slugs); err != nil {
		return p, err
	}
	return p, f.read(ctx, func(db pg.DBTX) error {
		rows, err := f.q.FleetElsewhere(ctx, db, p.Target)
		if err != nil {
			return err
		}
		for _, r := range rows {
			t := Tenant{
				ID: r.ID, Slug: r.Slug, Schema: r.SchemaName, Placement: r.Placement, Version: r.SchemaVersion, Failed: r.State == stateFailed,
				Attempts: r.Attempts, Error: r.Error, landlord: r.Kind == string(tenancy.Landlord),
			}
			switch {
			case !s.selects(t):
			case t.Version > p.Target:
				p.Newer++
			case r.Moving:
				p.Moving = append(p.Moving, t)
			default:
				p.Behind = append(p.Behind, t)
			}
		}
		return nil
	})
}

func (s Selection) selects(t Tenant) bool {
	return (len(s.Slugs) == 0 || slices.Contains(s.Slugs, t.Slug)) && (!s.Failed || t.Failed)
}

// checkSlugs refuses a slug that nobody has, which is a slip of the hand.
func (f *Fleet) checkSlugs(ctx context.Context, slugs []string) error {
	if len(slugs) == 0 {
		return nil
	}
	all, err := f.tenants(ctx)
	if err != nil {
		return err
	}
	for _, slug := range slugs {
		if !slices.ContainsFunc(all, func(t Tenant) bool { return t.Slug == slug }) {
			return fmt.Errorf("%w: %s", tenancy.ErrUnknown, slug)
		}
	}
	return nil
}

// tenants lists all that have a schema, without their attempts.
func (f *Fleet) tenants(ctx context.Context) ([]Tenant, error) {
	var all []Tenant
	err := f.read(ctx, func(db pg.DBTX) error {
		rows, err := f.q.FleetTenants(ctx, db)
		for _, r := range rows {
			all = append(all, Tenant{
				ID: r.ID, Slug: r.Slug, Schema: r.SchemaName, Placement: r.Placement, Version: r.SchemaVersion,
				landlord: r.Kind == string(tenancy.Landlord),
			})
		}
		return err
	})
	return all, err
}

func (f *Fleet) read(ctx context.Context, fn func(db pg.DBTX) error) error {
	return f.migrator.Control().Read(ctx, func(tx uow.Tx) error { return fn(pg.DB(tx)) })
}

func (f *Fleet) write(ctx context.Context, fn func(db pg.DBTX) error) error {
	return f.migrator.Control().Write(ctx, func(tx uow.Tx) error { return fn(pg.DB(tx)) })
}
