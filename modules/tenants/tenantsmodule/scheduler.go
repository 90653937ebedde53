package tenantsmodule

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
)

// Scheduler backs tenants up by themselves, and removes what they do not keep
// of that. Its pieces are tenants.
type Scheduler struct{ *jobs.Worker }

// lookForDue is how often the schedules of all tenants are looked at.
const lookForDue = 5 * time.Minute

type scheduler struct {
	tenants *infra.Directory
	copies  *infra.Copies
	copier  Copier
	service *service.Scheduling
	fresh   tenancy.Fresh
	clock   clock.Clock
	turn    chan struct{} // one tenant at a time: nobody waits for it
}

// NewScheduler makes the worker of a process. Its cleanup interrupts what is
// under way; a backup that was begun goes on like any other.
func NewScheduler(d *infra.Directory, c *infra.Copies, w Copier, s *service.Scheduling, fresh tenancy.Fresh, now clock.Clock, log *slog.Logger, m *telemetry.Metrics) (Scheduler, func()) {
	r := &scheduler{tenants: d, copies: c, copier: w, service: s, fresh: fresh, clock: now, turn: make(chan struct{}, 1)}
	worker := jobs.NewWorker(jobs.Work{
		Name: service.ScheduleBackup.Name, Pending: r.pending, Do: r.do, Every: lookForDue, Observe: m.ObserveJob,
	}, log)
	return Scheduler{worker}, worker.Stop
}

func (r *scheduler) pending(ctx context.Context) ([]uuid.UUID, error) {
	all, err := r.tenants.ServedTenants(ctx)
	var ids []uuid.UUID
	for _, t := range all {
		if t.Kind != tenancy.Landlord {
			ids = append(ids, t.ID)
		}
	}
	return ids, err
}

// do looks after one tenant: begins a backup if it is time, waits for it, and
// removes what is beyond what the tenant keeps.
func (r *scheduler) do(ctx context.Context, id uuid.UUID) error {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil // looked at again after the next start
	}
	t, err := r.tenants.ByID(ctx, id)
	if err != nil {
		return unless(err, tenancy.ErrUnknown)
	}
	values, err := r.fresh(ctx, t)
	if err != nil {
		return unless(err, tenancy.ErrUnknown) // gone
	}
	by := domain.Schedule{
		Every: tenants.BackupEvery.In(values), Keep: int(tenants.BackupKeep.In(values)), KeepFor: tenants.BackupKeepFor.In(values),
	}
	return errors.Join(r.back(ctx, id, by), r.tidy(ctx, id, by))
}

// back makes a backup if it is time for one.
func (r *scheduler) back(ctx context.Context, id uuid.UUID, by domain.Schedule) error {
	made, err := r.copies.Scheduled(ctx, id)
	if err != nil || !by.Due(id, made, r.clock.Now()) {
		return err
	}
	begun, err := r.service.Schedule(ctx, id, by)
	if err != nil {
		return unless(err, domain.ErrNotDue, domain.ErrBusy, domain.ErrStatus) // another process was first, or it waits for the next look
	}
	return <-r.copier.Start(begun.Operation.ID)
}

// tidy removes what is beyond what the tenant keeps. A backup that is being
// restored stays until the next look.
func (r *scheduler) tidy(ctx context.Context, id uuid.UUID, by domain.Schedule) error {
	made, err := r.copies.Scheduled(ctx, id)
	for _, b := range by.Surplus(made, r.clock.Now()) {
		gone := r.service.Expire(ctx, b)
		if gone == nil {
			gone = <-r.copier.Start(b.ID)
		}
		err = errors.Join(err, unless(gone, domain.ErrBackupInUse, domain.ErrNoBackup))
	}
	return err
}

// unless takes errors away that are none for whom comes by regularly.
func unless(err error, expected ...error) error {
	for _, e := range expected {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}
