// Package auditmodule has the provider sets of the audit module.
package auditmodule

import (
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/google/wire"

	"github.com/insulahq/insula/modules/audit"
	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
)

// Process lives as long as the process.
var Process = wire.NewSet(
	infra.NewBell,
	infra.NewRecorder, wire.Bind(new(op.Recorder), new(*infra.Recorder)),
	infra.NewTree, wire.Bind(new(domain.Tree), new(*infra.Tree)),
	infra.NewPublished, wire.Bind(new(domain.Published), new(*infra.Published)),
	NewHeadKeys, NewSealing, NewSealer, NewPolicies, wire.Bind(new(audit.Policies), new(Policies)), service.NewRetention, NewRemover,
	service.NewFollowing, NewTails, wire.Bind(new(service.Tails), new(*Tails)),
)

// Request lives as long as a request. It takes the runner.
var Request = wire.NewSet(
	infra.NewRepository, wire.Bind(new(domain.Repository), new(*infra.Repository)),
	service.NewAudit, service.NewEvidence, service.NewViewing,
)

// NewHeadKeys makes the keys that sign heads. They derive from the root key by
// a label of their own and are no keys of access tokens.
func NewHeadKeys(c config.Security) domain.HeadKeys { return domain.NewHeadKeys(c.SecretKey) }

// NewSealing makes the service that seals trails.
func NewSealing(j *op.Jobs, tree domain.Tree, p domain.Published, keys domain.HeadKeys, policies audit.Policies, c clock.Clock, log *slog.Logger, m *telemetry.Metrics) *service.Sealing {
	return service.NewSealing(j, tree, p, keys, policies, c, log, m.ObserveSeal)
}

// Sealer is the worker that seals trails: a type of its own, because a process
// has several workers.
type Sealer struct{ *jobs.Worker }

// NewSealer makes the worker. Its cleanup ends what is under way; what is not
// sealed then is found at the next start.
func NewSealer(s *service.Sealing, bell *infra.Bell, all Tenants, dir tenancy.Directory, known *tenancy.Settings, c clock.Clock, log *slog.Logger, m *telemetry.Metrics) (Sealer, func()) {
	every := func(t uuid.UUID) time.Duration { return audit.SealEvery.In(known.Of(tenancy.Tenant{ID: t})) }
	seal := &sealer{
		service: s, bell: bell, tenants: all, dir: dir, every: every, clock: c, rounds: newRounds(), slots: make(chan struct{}, sealedAtOnce),
	}
	work := seal.work()
	work.Observe = m.ObserveJob
	w := jobs.NewWorker(work, log)
	return Sealer{w}, w.Stop
}

// Remover is the worker that removes what is not kept: a type of its own, as
// Sealer is.
type Remover struct{ *jobs.Worker }

// NewRemover makes the worker. Its cleanup ends what is under way; the next
// start goes on with it.
func NewRemover(s *service.Retention, all Tenants, dir tenancy.Directory, log *slog.Logger, m *telemetry.Metrics) (Remover, func()) {
	work := (&remover{service: s, tenants: all, dir: dir, slots: make(chan struct{}, 1)}).work()
	work.Observe = m.ObserveJob
	w := jobs.NewWorker(work, log)
	return Remover{w}, w.Stop
}
