package auditmodule

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/tenancy"
)

// Tenants lists all tenants that have a trail.
type Tenants func(ctx context.Context) ([]tenancy.Tenant, error)

// sweepEvery is how often all trails are looked at, and not only those that
// this process wrote to: another process may have ended before it sealed.
const sweepEvery = 10 * time.Minute

// sealer seals trails that have new records, and keeps their heads outside the
// database.
type sealer struct {
	service *service.Sealing
	bell    *infra.Bell
	tenants Tenants
	dir     tenancy.Directory
	every   time.Duration
	turn    int           // how often pending was asked
	slots   chan struct{} // bounds how many tenants are sealed at once
}

// sealedAtOnce leaves the connections of the process to its requests.
const sealedAtOnce = 2

func (s *sealer) work() jobs.Work {
	return jobs.Work{Name: service.Seal.Name, Pending: s.pending, Do: s.do, Every: s.every}
}

func (s *sealer) pending(ctx context.Context) ([]uuid.UUID, error) {
	turns := max(int(sweepEvery/s.every), 1)
	s.turn++
	if s.turn%turns != 1%turns {
		return s.bell.Take(), nil
	}
	all, err := s.tenants(ctx)
	if err != nil {
		return s.bell.Take(), err
	}
	s.bell.Take()
	ids := make([]uuid.UUID, len(all))
	for i, t := range all {
		ids[i] = t.ID
	}
	return ids, nil
}

// do seals all there is of one tenant, and looks again next time when some of
// it could not be.
func (s *sealer) do(ctx context.Context, id uuid.UUID) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil // found again at the next start
	}
	t, err := s.dir.ByID(ctx, id)
	if errors.Is(err, tenancy.ErrUnknown) {
		return nil // the tenant is gone, and its trail with it
	}
	if err == nil {
		err = s.seal(ctx, t)
	}
	if err != nil {
		s.bell.Ring(id)
	}
	return err
}

func (s *sealer) seal(ctx context.Context, t tenancy.Tenant) error {
	for {
		p, err := s.service.Seal(ctx, t)
		if errors.Is(err, tenancy.ErrUnknown) {
			return nil // it is not there yet, or not any more
		}
		if err != nil {
			return err
		}
		if p.Waiting && p.Sealed == 0 {
			s.bell.Ring(t.ID)
		}
		if !p.Waiting || p.Sealed == 0 {
			break
		}
	}
	_, err := s.service.Publish(ctx, t)
	return err
}
