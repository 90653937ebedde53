package auditmodule

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/tenancy"
)

// removeEvery is how often retention looks at all trails.
const removeEvery = time.Hour

// remover removes what tenants do not keep any longer.
type remover struct {
	service *service.Retention
	tenants Tenants
	dir     tenancy.Directory
	slots   chan struct{} // one at a time: nothing waits for it
}

func (r *remover) work() jobs.Work {
	return jobs.Work{Name: service.Expire.Name, Pending: r.pending, Do: r.do, Every: removeEvery}
}

func (r *remover) pending(ctx context.Context) ([]uuid.UUID, error) {
	all, err := r.tenants(ctx)
	ids := make([]uuid.UUID, len(all))
	for i, t := range all {
		ids[i] = t.ID
	}
	return ids, err
}

func (r *remover) do(ctx context.Context, id uuid.UUID) error {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil // found again at the next start
	}
	t, err := r.dir.ByID(ctx, id)
	for err == nil {
		var due bool
		if due, err = r.service.Due(ctx, t); err != nil || !due {
			break
		}
		_, err = r.service.Expire(ctx, t)
	}
	if errors.Is(err, tenancy.ErrUnknown) || errors.Is(err, tenancy.ErrSuspended) {
		return nil // gone, or kept as it is until it is resumed
	}
	return err
}
