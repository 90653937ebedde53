package wiregen

import (
	"context"

	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/pg/queue"
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
