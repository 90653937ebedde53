// Package tenantsmodule lists the providers of the tenants module by lifetime.
package tenantsmodule

import (
	"log/slog"
	"time"

	"github.com/google/wire"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
)

// Process are the parts that live as long as the process.
var Process = wire.NewSet(
	infra.NewMirror, NewMirrorer, infra.NewRepository, wire.Bind(new(domain.Repository), new(*infra.Repository)),
	infra.NewDirectory,
	NewBuilder, wire.Bind(new(service.Builder), new(*Builder)),
	infra.NewLedger,
	service.NewProvisioning,
	NewGrace,
	service.NewErasing, NewReceiptKey, NewErasures, NewEraser, wire.Bind(new(tenants.Eraser), new(Eraser)),
	NewStocker, NewWorker, wire.Bind(new(tenants.Provisioner), new(*jobs.Worker)),
	infra.NewBackups, wire.Bind(new(domain.Backups), new(*infra.Backups)),
	infra.NewCopies, wire.Bind(new(service.Copies), new(*infra.Copies)),
	infra.NewPorter, wire.Bind(new(service.Porter), new(*infra.Porter)),
	infra.NewTransfer, wire.Bind(new(service.Transfer), new(*infra.Transfer)), NewHouses, infra.NewMovePlans,
	NewLandlord, service.NewCopying, NewCopier, NewSweeper,
	service.NewScheduling, NewScheduler,
)

// Request are the parts of one request.
var Request = wire.NewSet(service.NewTenants, service.NewBackups)

// NewLandlord finds the operator's tenant.
func NewLandlord(d *infra.Directory) service.Landlord { return d.Landlord }

// NewHouses are the placements that this process knows.
func NewHouses(p *pg.Placements) (names domain.Houses) {
	for name := range p.Each() {
		names = append(names, name)
	}
	return names
}

// NewReceiptKey derives the key that signs receipts of erased tenants.
func NewReceiptKey(c config.Security) (domain.ReceiptKey, error) {
	return domain.NewReceiptKey(c.SecretKey)
}

// Eraser is the worker that erases tenants.
type Eraser struct{ *jobs.Worker }

// NewEraser makes the worker. Its cleanup interrupts what is under way; the
// next start takes it up again.
func NewEraser(e *Erasures, log *slog.Logger, m *telemetry.Metrics) (Eraser, func()) {
	work := e.work()
	work.Observe = m.ObserveJob
	w := jobs.NewWorker(work, log)
	return Eraser{w}, w.Stop
}

// Live tenants are remembered for a minute at most: every unit of work checks
// the status anyway.
const (
	liveTenants = 10_000
	liveFor     = time.Minute
)

// NewLive makes the memory of tenants that are being served.
func NewLive(d *infra.Directory, m *telemetry.Metrics) *tenancy.Live {
	return tenancy.NewLive(d, liveTenants, liveFor, m.Lookups("tenants"))
}

// NewGrace is how long deleted tenants can be brought back.
func NewGrace(c config.Tenants) service.Grace { return service.Grace(c.Grace) }

// NewWorker makes the worker that brings registered tenants to life. Its
// cleanup interrupts what is under way; the next start takes it up again.
func NewWorker(l *infra.Ledger, s *service.Provisioning, stock Stocker, mail mailx.Sender, links mailx.Links, c clock.Clock, log *slog.Logger, m *telemetry.Metrics) (*jobs.Worker, func()) {
	p := &provisioner{ledger: l, service: s, mail: mail, links: links, clock: c, stocker: stock}
	work := p.work()
	work.Observe = m.ObserveJob
	w := jobs.NewWorker(work, log)
	return w, w.Stop
}
