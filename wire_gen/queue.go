package wiregen

import (
	"context"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg/queue"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// handlers is the one list of the queued work that modules have. Each handler
// works as a principal of its own, in the tenant that queued it.
func handlers(*Process) []jobs.Handler {
	return nil
}

// NewQueue connects the job queue of a process. Run it beside the server.
func NewQueue(ctx context.Context, p *Process) (*queue.Queue, error) {
	return queue.Open(ctx, queue.Options{
		URL: p.Config.Database.URL, Handlers: handlers(p), Tenants: p.Live, Outbox: p.Outbox,
		Served: p.Directory.ServedTenants, Metrics: p.Metrics, Log: p.Log,
	})
}

// asJob makes the service of a piece of queued work: in its tenant, as the
// job it is named for.
func asJob[T any](p *Process, d op.Def, build func(*Tenant, scope.Request) T, t tenancy.Tenant) T {
	return build(p.tenant(t), scope.Request{Tenant: t, Caller: authn.Caller{Kind: authn.Job, Label: d.Name}})
}
