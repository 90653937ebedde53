package fleet

import (
	"cmp"
	"context"
	"slices"

	"github.com/insulahq/insula/platform/pg"
)

// Status is where the fleet stands.
type Status struct {
	Target   int64     `json:"target"`
	Versions []Version `json:"versions"`
	Spares   []Spares  `json:"spares"`
	Failed   []Tenant  `json:"failed"`
	Moving   []Tenant  `json:"moving"` // behind, and passed by while they are being moved
	Freeze   *Freeze   `json:"freeze"`
}

// Version counts the tenants at one version.
type Version struct {
	Version int64 `json:"version"`
	Tenants int64 `json:"tenants"`
}

// Spares counts the schemas at one version that are made ahead of time.
type Spares struct {
	Version int64 `json:"version"`
	Spares  int   `json:"spares"`
	Ready   int   `json:"ready"` // of these, how many can be taken
}

// Status counts the tenants by version and names those whose last attempt
// failed, and those that wait for the end of a move.
func (f *Fleet) Status(ctx context.Context) (Status, error) {
	plan, err := f.Plan(ctx, Selection{})
	if err != nil {
		return Status{}, err
	}
	failed := slices.DeleteFunc(plan.Behind, func(t Tenant) bool { return !t.Failed })
	s := Status{Target: plan.Target, Versions: []Version{}, Failed: failed, Moving: plan.Moving}
	err = f.read(ctx, func(db pg.DBTX) error {
		rows, err := f.q.FleetVersions(ctx, db)
		for _, r := range rows {
			s.Versions = append(s.Versions, Version{Version: r.SchemaVersion, Tenants: r.Tenants})
		}
		return err
	})
	if err != nil {
		return s, err
	}
	if s.Spares, err = f.spares(ctx); err != nil {
		return s, err
	}
	s.Freeze, err = f.Frozen(ctx)
	return s, err
}

// spares counts the stock by version.
func (f *Fleet) spares(ctx context.Context) ([]Spares, error) {
	stock, err := f.migrator.Spares(ctx)
	slices.SortFunc(stock, func(a, b pg.Spare) int { return cmp.Compare(a.Version, b.Version) })
	counts := []Spares{}
	for _, s := range stock {
		if len(counts) == 0 || counts[len(counts)-1].Version != s.Version {
			counts = append(counts, Spares{Version: s.Version})
		}
		last := &counts[len(counts)-1]
		last.Spares++
		if s.State == pg.SpareReady {
			last.Ready++
		}
	}
	return counts, err
}
