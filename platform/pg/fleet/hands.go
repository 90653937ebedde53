package fleet

import (
	"context"

	"github.com/insulahq/insula/platform/pg"
)

// hands are migrators with as many connections as are to work at once, one for
// each placement in which there is something to do.
type hands map[string]*pg.Migrator

// hands opens those for tenants; the caller closes them. There are none in a
// placement that is not known here: its tenants fail.
func (f *Fleet) hands(ctx context.Context, tenants []Tenant, parallel int) (hands, error) {
	all := hands{}
	for _, t := range tenants {
		m, err := f.placements.Of(t.Placement)
		if _, open := all[t.Placement]; open || err != nil {
			continue
		}
		if all[t.Placement], err = m.Wide(ctx, int32(max(parallel, 1))); err != nil {
			delete(all, t.Placement)
			all.close()
			return nil, err
		}
	}
	return all, nil
}

func (h hands) close() {
	for _, m := range h {
		m.Close()
	}
}
