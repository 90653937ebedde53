package wiregen

import (
	"context"
	"encoding/json"

	usersservice "github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg/queue"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// Handlers is the one list of the queued work that modules have. Each handler
// works as a principal of its own, in the tenant that queued it.
func Handlers(p *Process) []jobs.Handler {
	mail := func(d op.Def, do func(*usersservice.Mailroom, context.Context, usersservice.Envelope) error) jobs.Handler {
		return jobs.Handle(d, func(ctx context.Context, t tenancy.Tenant, e usersservice.Envelope) error {
			return do(asJob(p, d, requestMailroom, t), ctx, e)
		})
	}
	return informed(p, []jobs.Handler{
		mail(usersservice.DeliverMail, (*usersservice.Mailroom).Deliver),
		mail(usersservice.OfferReset, (*usersservice.Mailroom).OfferReset),
		filesExamine(p),
	})
}

// informed makes handlers work by the settings that their tenant has now.
func informed(p *Process, all []jobs.Handler) []jobs.Handler {
	for i, h := range all {
		all[i].Run = func(ctx context.Context, t tenancy.Tenant, args json.RawMessage) error {
			if _, err := p.Fresh(ctx, t); err != nil {
				return err
			}
			return h.Run(ctx, t, args)
		}
	}
	return all
}

// NewQueue connects the job queue of a process. Run it beside the server.
func NewQueue(ctx context.Context, p *Process) (*queue.Queue, error) {
	return queue.Open(ctx, queue.Options{
		URL: p.Config.Database.URL, Handlers: Handlers(p), Tenants: p.Live, Outbox: p.Outbox,
		Served: p.Directory.ServedTenants, Metrics: p.Metrics, Log: p.Log,
	})
}

// asJob makes the service of a piece of queued work: in its tenant, as the
// job it is named for.
func asJob[T any](p *Process, d op.Def, build func(*Tenant, scope.Request) T, t tenancy.Tenant) T {
	return build(p.tenant(t), scope.Request{Tenant: t, Caller: authn.Caller{Kind: authn.Job, Label: d.Name}})
}
