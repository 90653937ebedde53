package pg

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg/internal/pgdb"
)

// Stocking says how to keep the stock of spare schemas.
type Stocking struct {
	Keep  int           // so many are to be there; more are made when half of them are gone. 0: none are made
	Name  func() string // names a new schema
	Clock clock.Clock
}

// Stock is the stock of spare schemas as those look after it who make schemas
// of one version.
type Stock struct {
	m *Migrator
	Stocking
}

// NewStock makes the stock of a migrator's database.
func NewStock(m *Migrator, s Stocking) *Stock { return &Stock{m: m, Stocking: s} }

// Look tells how many spares can be taken, and whether something is to be done:
// too few are ready, or some are half made, of an older version, or being
// dropped.
func (s *Stock) Look(ctx context.Context) (ready int, wanting bool, err error) {
	all, err := s.m.Spares(ctx)
	ready, _ = s.m.usable(all)
	return ready, s.wanting(all), err
}

func (s *Stock) wanting(all []Spare) bool {
	newer := func(one Spare) bool { return one.Version > s.m.TenantVersion() }
	if slices.ContainsFunc(all, newer) {
		return false // newer processes look after it, and this one is on its way out
	}
	ready, bare := s.m.usable(all)
	return bare > 0 || slices.ContainsFunc(all, s.m.stale) || s.Keep > 0 && ready <= s.Keep/2
}

// stockID names the lock of those who look after the stock.
var stockID = uuid.NewSHA1(uuid.NameSpaceOID, []byte("insula spare schemas"))

// Restock sees to it that the stock is as it should be, while no other process
// does. Every step is whole: whatever kills it, each schema of the stock is
// known, and the next Restock goes on. The roles and memberships of new spares
// are made in one transaction, because after each change of these every
// backend reads anew which roles the application may take on.
func (s *Stock) Restock(ctx context.Context) error {
	err := alone(ctx, s.m.pool, stockID, func(ctx context.Context) error {
		all, err := s.m.Spares(ctx)
		if err != nil || !s.wanting(all) {
			return err
		}
		var failed []error
		for _, spare := range all {
			if s.m.stale(spare) {
				failed = append(failed, s.m.mend(ctx, spare))
			}
		}
		return errors.Join(errors.Join(failed...), s.fill(ctx))
	})
	if errors.Is(err, ErrTaken) {
		return nil
	}
	return err
}

// fill makes spares until there are enough or a tenant waits, which goes
// first. What is bare then is furnished when the stock is full or nothing else
// is ready, so that the roles change as seldom as can be.
func (s *Stock) fill(ctx context.Context) error {
	for {
		all, err := s.m.Spares(ctx)
		if err != nil {
			return err
		}
		waiting, err := s.tenantsWait(ctx)
		if err != nil {
			return err
		}
		ready, bare := s.m.usable(all)
		full := ready+bare+s.m.coming(all) >= s.Keep
		switch {
		case !full && !waiting:
			err = s.m.build(ctx, s.Name())
		case bare > 0 && (full || ready == 0):
			return s.m.furnish(ctx, all)
		default:
			return nil
		}
		if err != nil {
			return fmt.Errorf("make a spare schema: %w", err)
		}
	}
}

// waitingSince is how long a tenant that waits for its schema keeps others
// from being made: one that cannot be made at all should not do so for ever.
const waitingSince = time.Minute

func (s *Stock) tenantsWait(ctx context.Context) (bool, error) {
	waiting, err := pgdb.New().TenantsWait(ctx, s.m.pool, s.Clock.Now().Add(-waitingSince))
	if err != nil {
		return false, fmt.Errorf("tenants that wait: %w", err)
	}
	return waiting, nil
}
