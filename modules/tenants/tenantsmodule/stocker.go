package tenantsmodule

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/telemetry"
)

// Stocker keeps a stock of schemas for tenants that are still to come. Its
// work is one piece, the stock.
type Stocker struct{ *jobs.Worker }

// restockEvery is how soon the stock is looked after whatever happens: another
// process may have taken from it, or left it half made.
const restockEvery = 15 * time.Second

// theStock names the one piece of the stocker's work.
var theStock = uuid.Nil

// NewStocker makes the stocker of a process. Its cleanup interrupts what is
// under way; the next start takes it up again.
func NewStocker(p *pg.Placements, t config.Tenants, c clock.Clock, ids id.Source, log *slog.Logger, m *telemetry.Metrics) (Stocker, func()) {
	s := &stocker{metrics: m, stock: pg.NewStock(p.Main(), pg.Stocking{
		Keep: t.SpareSchemas, Clock: c, Name: func() string { return domain.NewSchema(ids.New()) },
	})}
	w := jobs.NewWorker(jobs.Work{
		Name: "tenants.stock", Pending: s.pending, Do: s.do, Every: restockEvery, Observe: m.ObserveJob,
	}, log)
	return Stocker{w}, w.Stop
}

// Restock has the stock looked after soon: something was taken from it.
func (s Stocker) Restock() { s.Start(theStock) }

type stocker struct {
	stock   *pg.Stock
	metrics *telemetry.Metrics
}

func (s *stocker) pending(ctx context.Context) ([]uuid.UUID, error) {
	if wanting, err := s.look(ctx); err != nil || !wanting {
		return nil, err
	}
	return []uuid.UUID{theStock}, nil
}

func (s *stocker) do(ctx context.Context, _ uuid.UUID) error {
	if wanting, err := s.look(ctx); err != nil || !wanting {
		return err
	}
	if err := s.stock.Restock(ctx); err != nil {
		return err
	}
	_, err := s.look(ctx)
	return err
}

// look shows how many spares there are for this process.
func (s *stocker) look(ctx context.Context) (wanting bool, err error) {
	ready, wanting, err := s.stock.Look(ctx)
	if err == nil {
		s.metrics.SetSpares(ready)
	}
	return wanting, err
}
