package wiregen

import (
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Tenant is what lives as long as a tenant is being served: until it changes
// or is not asked for any more.
type Tenant struct {
	*Process
	Tenant tenancy.Tenant
}

// newRequest joins a tenant and a caller; everything of one request is made
// of it.
func newRequest(t tenancy.Tenant, caller authn.Caller) scope.Request {
	return scope.Request{Tenant: t, Caller: caller}
}

// newUnit opens the unit of work of one request.
func newUnit(pool *pg.Pool, t tenancy.Tenant) uow.Unit { return pool.Tenant(t) }

// runnerOf makes the operation runner of a request, for the HTTP layer, which
// decides before it reads a body.
func (p *Process) runnerOf(r scope.Request) *op.Runner {
	return requestRunner(p.tenant(r.Tenant), r.Caller)
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
