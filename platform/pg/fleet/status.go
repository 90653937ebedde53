package fleet

import (
	"context"

	"github.com/insulahq/insula/platform/pg"
)

// Status is where the fleet stands.
type Status struct {
	Target   int64     `json:"target"`
	Versions []Version `json:"versions"`
	Failed   []Tenant  `json:"failed"`
	Freeze   *Freeze   `json:"freeze"`
}

// Version counts the tenants at one version.
type Version struct {
	Version int64 `json:"version"`
	Tenants int64 `json:"tenants"`
}

// Status counts the tenants by version and names those whose last attempt
// failed.
func (f *Fleet) Status(ctx context.Context) (Status, error) {
	failed, err := f.Plan(ctx, Selection{Failed: true})
	if err != nil {
		return Status{}, err
	}
	s := Status{Target: failed.Target, Versions: []Version{}, Failed: failed.Behind}
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
	s.Freeze, err = f.Frozen(ctx)
	return s, err
}
