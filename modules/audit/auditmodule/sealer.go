package auditmodule

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/tenancy"
)

// Tenants lists all tenants that have a trail.
type Tenants func(ctx context.Context) ([]tenancy.Tenant, error)

// sweepEvery is how often all trails are looked at, and not only those that
// this process wrote to: another process may have ended before it sealed.
const sweepEvery = 10 * time.Minute

// lookForDue is how often the trails that wait are looked at: the shortest time
// that a tenant can let them wait.
const lookForDue = time.Second

// sealer seals trails that have new records, and keeps their heads outside the
// database.
type sealer struct {
	service *service.Sealing
	bell    *infra.Bell
	tenants Tenants
	dir     tenancy.Directory
	every   func(uuid.UUID) time.Duration // how long a tenant lets its records wait
	clock   clock.Clock
	rounds  *rounds
	swept   time.Time
	slots   chan struct{} // bounds how many tenants are sealed at once
}

// sealedAtOnce leaves the connections of the process to its requests.
const sealedAtOnce = 2

func (s *sealer) work() jobs.Work {
	return jobs.Work{Name: service.Seal.Name, Pending: s.pending, Do: s.do, Every: lookForDue}
}

func (s *sealer) pending(ctx context.Context) ([]uuid.UUID, error) {
	now := s.clock.Now()
	s.rounds.begin(now, s.bell.Take()...)
	if now.Sub(s.swept) < sweepEvery {
		return s.rounds.take(now, s.every), nil
	}
	all, err := s.tenants(ctx)
	if err != nil {
		return s.rounds.take(now, s.every), err
	}
	s.swept = now
	s.rounds.takeAll()
	ids := make([]uuid.UUID, len(all))
	for i, t := range all {
		ids[i] = t.ID
	}
	return ids, nil
}

// do seals all there is of one tenant, and looks again later when some of it
// could not be.
func (s *sealer) do(ctx context.Context, id uuid.UUID) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil // found again at the next start
	}
	t, err := s.dir.ByID(ctx, id)
	if err == nil {
		err = s.seal(ctx, t)
	}
	if errors.Is(err, tenancy.ErrUnknown) {
		return nil // it is not there yet or not any more, and its trail with it
	}
	if err != nil {
		s.rounds.failed(s.clock.Now(), id)
	}
	return err
}

func (s *sealer) seal(ctx context.Context, t tenancy.Tenant) error {
	for when := service.Due; ; when = service.Now {
		p, err := s.service.Seal(ctx, t, when)
		if err != nil {
			return err
		}
		if p.Waiting && p.Sealed == 0 {
			s.rounds.begin(s.clock.Now(), t.ID)
		}
		if !p.Waiting || p.Sealed == 0 {
			break
		}
	}
	_, err := s.service.Publish(ctx, t)
	return err
}
