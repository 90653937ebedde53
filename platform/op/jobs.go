package op

import (
	"context"
	"log/slog"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Jobs makes runners for background work. A job is a principal of its own
// that holds the one operation it is named for.
type Jobs struct {
	decider  Decider
	recorder Recorder
	clock    clock.Clock
	ids      id.Source
	log      *slog.Logger
}

// NewJobs makes the process's Jobs.
func NewJobs(d Decider, r Recorder, c clock.Clock, ids id.Source, log *slog.Logger) *Jobs {
	return &Jobs{decider: d, recorder: r, clock: c, ids: ids, log: log}
}

// Runner makes the runner of one job in one tenant, over the unit of work
// that the job is to use.
func (j *Jobs) Runner(t tenancy.Tenant, d Def, u uow.Unit) *Runner {
	caller := authn.Caller{Kind: authn.Job, Label: d.Name}
	return j.For(scope.Request{Tenant: t, Caller: caller}, u)
}

// For makes the runner of a request that did not come over HTTP.
func (j *Jobs) For(r scope.Request, u uow.Unit) *Runner {
	return NewRunner(r, u, j.decider, j.recorder, j.clock, j.ids, j.log)
}

// Witness tells a tenant's own trail what the operator did to the tenant.
func (j *Jobs) Witness(ctx context.Context, t tenancy.Tenant, u uow.Unit, d Def, by authn.Caller) {
	r := j.For(scope.Request{Tenant: t, Caller: by}, u)
	e := r.entry(d, Done, nil, Decision{Allow: true, Rule: "operator"})
	e.Target = uow.Target{Kind: d.Kind, ID: t.ID.String(), Label: t.Slug}
	r.recordAlone(ctx, e)
}
