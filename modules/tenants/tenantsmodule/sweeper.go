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
)

// Sweeper is the worker that removes what moves that were given up have left in
// placements, once these answer again. Its pieces are the notes of that.
type Sweeper struct{ *jobs.Worker }

// sweepEvery is how soon it is noticed that a placement answers again: nobody
// waits for that.
const sweepEvery = time.Minute

// NewSweeper makes the worker of a process. Its cleanup interrupts what is under
// way; the next start takes it up again.
func NewSweeper(f *infra.Transfer, p *pg.Placements, log *slog.Logger, m *telemetry.Metrics) (Sweeper, func()) {
	pending := func(ctx context.Context) (ids []uuid.UUID, _ error) {
		all, err := f.Remains(ctx)
		for _, r := range all {
			if _, err := p.Of(r.Placement); err == nil { // of others this process cannot ask
				ids = append(ids, r.ID)
			}
		}
		return ids, err
	}
	w := jobs.NewWorker(jobs.Work{Name: "tenants.remains", Pending: pending, Do: f.Sweep, Every: sweepEvery, Observe: m.ObserveJob}, log)
	return Sweeper{w}, w.Stop
}
