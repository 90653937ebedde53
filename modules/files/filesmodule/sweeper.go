package filesmodule

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
)

// Tenants lists the tenants that are served.
type Tenants func(ctx context.Context) ([]tenancy.Tenant, error)

// sweeper sweeps the files of all tenants, one after the other: nothing waits
// for it.
type sweeper struct {
	service *service.Sweeper
	tenants Tenants
	dir     tenancy.Directory
	log     *slog.Logger
	slots   chan struct{}
}

// NewSweepWorker makes the worker that sweeps regularly. Stop ends what is
// under way; the next start goes on with it.
func NewSweepWorker(s *service.Sweeper, all Tenants, dir tenancy.Directory, every time.Duration, log *slog.Logger, m *telemetry.Metrics) *jobs.Worker {
	w := &sweeper{service: s, tenants: all, dir: dir, log: log, slots: make(chan struct{}, 1)}
	return jobs.NewWorker(jobs.Work{
		Name: service.Sweep.Name, Pending: w.pending, Do: w.do, Every: every, Observe: m.ObserveJob,
	}, log)
}

func (w *sweeper) pending(ctx context.Context) ([]uuid.UUID, error) {
	all, err := w.tenants(ctx)
	ids := make([]uuid.UUID, len(all))
	for i, t := range all {
		ids[i] = t.ID
	}
	return ids, err
}

func (w *sweeper) do(ctx context.Context, id uuid.UUID) error {
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-ctx.Done():
		return nil // found again at the next start
	}
	t, err := w.dir.ByID(ctx, id)
	if err != nil {
		return gone(err)
	}
	r, err := w.service.Sweep(ctx, t, false)
	if !r.Clean() {
		w.log.InfoContext(ctx, "files swept", "tenant_id", id, "uploads", r.Uploads, "deletions", r.Deletions, "requeued", r.Requeued,
			"strays", r.Strays, "bytes", r.Bytes, "parts", r.Parts, "lost", r.Lost, "found", r.Found, "strange", r.Strange)
	}
	return gone(err)
}

// gone takes away the error about a tenant that is not served any more: its
// files are kept as they are until it is.
func gone(err error) error {
	if errors.Is(err, tenancy.ErrUnknown) || errors.Is(err, tenancy.ErrSuspended) {
		return nil
	}
	return err
}
