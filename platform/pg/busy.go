package pg

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/uow"
)

// NoteBusy adds the requests that this pool has served since the last time to
// the ranking that the control schema keeps, of the most tenants who came most
// often. A failure loses them, which does no harm.
func (p *Pool) NoteBusy(ctx context.Context, at time.Time, most int) error {
	count := map[uuid.UUID]int{}
	for _, s := range p.everywhere() {
		for tenant, n := range s.heat.take() {
			count[tenant] += n
		}
	}
	ids := busiest(count, most)
	if len(ids) == 0 {
		return nil
	}
	requests := make([]int64, len(ids))
	for i, id := range ids {
		requests[i] = int64(count[id])
	}
	q := pgdb.New()
	err := p.Control().Write(ctx, func(tx uow.Tx) error {
		if err := q.NoteBusy(ctx, DB(tx), requests, at, ids); err != nil {
			return err
		}
		return q.ForgetIdle(ctx, DB(tx), at, int32(most))
	})
	if err != nil {
		return fmt.Errorf("note the busiest tenants: %w", err)
	}
	return nil
}

// Busiest lists the tenants that were asked for most lately, by all processes
// and those before them, the busiest first; only those that are served.
func (p *Pool) Busiest(ctx context.Context, at time.Time, most int) (ids []uuid.UUID, err error) {
	err = p.Control().Read(ctx, func(tx uow.Tx) error {
		ids, err = pgdb.New().BusiestTenants(ctx, DB(tx), at, int32(most))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the busiest tenants: %w", err)
	}
	return ids, nil
}

// Renewed lists the tenants that were asked for most lately and whose home is a
// connection that was opened since the last time, up to most of each placement.
func (p *Pool) Renewed(most int) (ids []uuid.UUID) {
	for _, s := range p.everywhere() {
		renewed := map[*shard]bool{}
		for _, part := range s.all {
			if opened := part.opened.Load(); part.seen.Swap(opened) != opened {
				renewed[part] = true
			}
		}
		if len(renewed) == 0 {
			continue
		}
		ids = append(ids, s.heat.hottest(most, func(t uuid.UUID) bool {
			home, _ := s.homes(t)
			return renewed[home]
		})...)
	}
	return ids
}

// everywhere is the connections to all placements.
func (p *Pool) everywhere() []*shards {
	all := []*shards{p.shards}
	for _, s := range p.placed {
		all = append(all, s)
	}
	return all
}
