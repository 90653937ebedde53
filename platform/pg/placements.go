package pg

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/insulahq/insula/platform/pg/migrate"
	"github.com/insulahq/insula/platform/tenancy"
)

// ByPlacement is what there is once for each placement: each database that
// houses tenants.
type ByPlacement[T any] struct{ all map[string]T }

// Of is that of one placement; tenancy.ErrUnplaced when it is not known here.
func (b ByPlacement[T]) Of(name string) (T, error) {
	one, ok := b.all[name]
	if !ok {
		return one, tenancy.ErrUnplaced.Because(fmt.Errorf("placement %q", name))
	}
	return one, nil
}

// Main is that of the main placement.
func (b ByPlacement[T]) Main() T { return b.all[tenancy.MainPlacement] }

// Each goes through all of them, the main placement first.
func (b ByPlacement[T]) Each() iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for _, name := range placementNames(b.all) {
			if !yield(name, b.all[name]) {
				return
			}
		}
	}
}

// placementNames sorts names, the main placement first.
func placementNames[T any](all map[string]T) []string {
	others := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool { return name == tenancy.MainPlacement })
	return append([]string{tenancy.MainPlacement}, others...)
}

// Placements are the migrators of all placements.
type Placements struct{ ByPlacement[*Migrator] }

// NewPlacements makes the set of the main placement and others by name. Its
// owner closes the migrators.
func NewPlacements(main *Migrator, others map[string]*Migrator) *Placements {
	all := map[string]*Migrator{tenancy.MainPlacement: main}
	for name, m := range others {
		all[name] = m.WithPlacement(name)
	}
	return &Placements{ByPlacement[*Migrator]{all}}
}

// UpgradeControl brings the control schema of each placement to the newest
// version, and tells what was applied to which. One that is away keeps the
// others from nothing.
func (p *Placements) UpgradeControl(ctx context.Context, told func(placement string, applied []string)) error {
	var failed []error
	for name, m := range p.Each() {
		upgrade := m.upgradeCopy
		if name == tenancy.MainPlacement {
			upgrade = m.UpgradeControl
		}
		applied, err := upgrade(ctx)
		if err != nil {
			failed = append(failed, fmt.Errorf("control schema of %s: %w", name, err))
			continue
		}
		told(name, applied)
	}
	return errors.Join(failed...)
}

// Carriers makes a carrier for each placement; the caller closes them.
func (p *Placements) Carriers(ctx context.Context) (*Carriers, error) {
	c := &Carriers{ByPlacement[*Carrier]{map[string]*Carrier{}}}
	for name, m := range p.Each() {
		one, err := m.Carrier(ctx)
		if err != nil {
			c.Close()
			return nil, fmt.Errorf("placement %s: %w", name, err)
		}
		c.all[name] = one
	}
	return c, nil
}

// Carriers are the carriers of all placements.
type Carriers struct{ ByPlacement[*Carrier] }

// Close closes the connections of all.
func (c *Carriers) Close() {
	for _, one := range c.all {
		one.Close()
	}
}

// Condition is how a placement is.
type Condition struct {
	Server  string // version of PostgreSQL
	Control string // newest migration of its control schema
	Pending int    // migrations of the control schema that it lacks
}

// Condition asks a placement how it is.
func (m *Migrator) Condition(ctx context.Context) (c Condition, err error) {
	conn, err := m.pool.Acquire(ctx)
	if err != nil {
		return c, err
	}
	defer conn.Release()
	c.Server = conn.Conn().PgConn().ParameterStatus("server_version")
	status, err := m.control.Status(ctx, conn, migrate.ControlHistory)
	if err != nil {
		return c, err
	}
	c.Control, c.Pending = status.Current, len(status.Pending)
	return c, nil
}

// Size is what the database takes on the disk, in bytes.
func (m *Migrator) Size(ctx context.Context) (bytes int64, err error) {
	err = m.pool.QueryRow(ctx, "SELECT pg_database_size(current_database())").Scan(&bytes)
	return bytes, err
}
