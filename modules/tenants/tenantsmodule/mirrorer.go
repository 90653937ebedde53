package tenantsmodule

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
)

// Mirrorer is the worker that mends the registry entries of placements where a
// crash, or a placement that was away, has left them behind. Its pieces are
// tenants.
type Mirrorer struct{ *jobs.Worker }

// mendEvery bounds how long an entry may differ from what the registry has.
const mendEvery = 15 * time.Second

// NewMirrorer makes the worker of a process. Its cleanup interrupts what is
// under way; the next start takes it up again.
func NewMirrorer(m *infra.Mirror, p *pg.Placements, log *slog.Logger, t *telemetry.Metrics) (Mirrorer, func()) {
	pending := func(ctx context.Context) (unlike []uuid.UUID, _ error) {
		for name := range p.Each() {
			if name == tenancy.MainPlacement {
				continue
			}
			some, err := m.Unlike(ctx, name)
			unlike = append(unlike, some...)
			if err == nil {
				err = m.Expel(ctx, name)
			}
			if err != nil && ctx.Err() == nil { // its tenants alone wait for it
				log.WarnContext(ctx, "placement is away", "placement", name, "error", err)
			}
		}
		return unlike, nil
	}
	w := jobs.NewWorker(jobs.Work{Name: "tenants.mirror", Pending: pending, Do: m.Mend, Every: mendEvery, Observe: t.ObserveJob}, log)
	return Mirrorer{w}, w.Stop
}
