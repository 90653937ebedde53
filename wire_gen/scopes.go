package wiregen

import (
	"log/slog"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Tenant is what lives as long as a tenant is being served: until it changes
// or is not asked for any more.
type Tenant struct {
	*Process
	Tenant tenancy.Tenant
}

// newUnit opens the unit of work of one request.
func newUnit(pool *pg.Pool, t tenancy.Tenant) uow.Unit { return pool.Tenant(t) }

func newRunner(r scope.Request, u uow.Unit, d op.Decider, rec op.Recorder, retries op.Retries, folds *op.Folds, m *telemetry.Metrics, c clock.Clock, ids id.Source, log *slog.Logger) *op.Runner {
	return op.NewRunner(r, u, d, rec, c, ids, log).Remember(retries).Fold(folds).Count(m)
}

// runnerOf makes the operation runner of a request, for the HTTP layer, which
// decides before it reads a body.
func (p *Process) runnerOf(r scope.Request) *op.Runner {
	return requestRunner(p.tenant(r.Tenant), r)
}

// tenant finds the tenant scope of a tenant that is being served. One that
// has changed since gets a new scope.
func (p *Process) tenant(t tenancy.Tenant) *Tenant {
	if known, ok := p.Scopes.Get(t.ID); ok && known.Tenant == t {
		return known
	}
	fresh := newTenant(p, t)
	p.Scopes.Add(t.ID, fresh)
	return fresh
}
