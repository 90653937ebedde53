package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/catalog"
	"github.com/insulahq/insula/platform/tenancy"
)

// Finding is what is wrong with one tenant, or with one spare schema.
type Finding struct {
	Tenant Tenant
	Spare  bool     // it is nobody's yet: the tenant is one without a name
	Drift  []string // one line for each object or right that is not as declared
}

// VerifyOptions say what to look at.
type VerifyOptions struct {
	Slugs    []string
	Parallel int
	// Told hears of each tenant, and each spare, that has drifted, one at a time.
	Told func(Finding)
}

// Verified counts.
type Verified struct {
	Checked int `json:"checked"`
	Spares  int `json:"spares"` // spare schemas that were checked beside
	Drifted int `json:"drifted"`
	Newer   int `json:"newer"` // made by a newer binary, which alone can tell
}

// Verify compares what each tenant's schema really has, and who may do what
// with it, with what the migrations of its version build, and does the same
// with the spare schemas that are ready, unless some tenants are named. It
// changes nothing.
func (f *Fleet) Verify(ctx context.Context, o VerifyOptions) (Verified, error) {
	if err := f.checkSlugs(ctx, o.Slugs); err != nil {
		return Verified{}, err
	}
	all, err := f.tenants(ctx)
	if err != nil {
		return Verified{}, err
	}
	if len(o.Slugs) == 0 {
		ready, err := f.readySpares(ctx)
		if err != nil {
			return Verified{}, err
		}
		all = append(all, ready...)
	}
	readers, err := f.hands(ctx, all, o.Parallel)
	if err != nil {
		return Verified{}, err
	}
	defer readers.close()
	v := &verification{readers: readers, told: o.Told, wanted: map[model]catalog.Catalog{}}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(o.Parallel, 1))
	for _, t := range all {
		if (Selection{Slugs: o.Slugs}).selects(t) {
			g.Go(func() error { return v.one(ctx, t) })
		}
	}
	err = g.Wait()
	return v.count, err
}

// readySpares are the spares that can become a tenant's, as tenants without a
// name.
func (f *Fleet) readySpares(ctx context.Context) (ready []Tenant, err error) {
	stock, err := f.migrator.Spares(ctx)
	for _, s := range stock {
		if s.State == pg.SpareReady {
			ready = append(ready, Tenant{Schema: s.Schema, Version: s.Version, Placement: tenancy.MainPlacement})
		}
	}
	return ready, err
}

// model is what tenants must agree on to be alike.
type model struct {
	version  int64
	landlord bool
}

type verification struct {
	readers hands
	told    func(Finding)

	mu     sync.Mutex
	wanted map[model]catalog.Catalog
	count  Verified
}

func (v *verification) one(ctx context.Context, t Tenant) error {
	reader, known := v.readers[t.Placement]
	if !known {
		v.end(t, []string{"placement: " + t.Placement + " is not known here"}, false)
		return nil
	}
	want, err := v.declared(ctx, reader, model{t.Version, t.landlord})
	if errors.Is(err, pg.ErrUnknownVersion) {
		v.end(t, nil, true)
		return nil
	}
	if err != nil {
		return err
	}
	var drift []string
	got, version, err := reader.Actual(ctx, t.Schema)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		drift = []string{err.Error()} // no schema, or a history that does not fit
	default:
		drift = catalog.Diff(want, got)
	}
	if err == nil && version != t.Version {
		drift = append(drift, fmt.Sprintf("version: the registry has %d, the schema's own history %d", t.Version, version))
	}
	v.end(t, drift, false)
	return nil
}

// declared builds the model of a version once. The lock keeps two tenants from
// building the same one.
func (v *verification) declared(ctx context.Context, reader *pg.Migrator, m model) (catalog.Catalog, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if c, ok := v.wanted[m]; ok {
		return c, nil
	}
	c, err := reader.Declared(ctx, m.version, m.landlord)
	if err == nil {
		v.wanted[m] = c
	}
	return c, err
}

func (v *verification) end(t Tenant, drift []string, newer bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	spare := t.Slug == ""
	switch {
	case newer:
		v.count.Newer++
		return
	case len(drift) > 0:
		v.count.Drifted++
	}
	if spare {
		v.count.Spares++
	} else {
		v.count.Checked++
	}
	if len(drift) > 0 && v.told != nil {
		v.told(Finding{Tenant: t, Spare: spare, Drift: drift})
	}
}
