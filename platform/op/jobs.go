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
	units    Units
	decider  Decider
	recorder Recorder
	clock    clock.Clock
	ids      id.Source
	log      *slog.Logger
}

// Units opens units of work in tenants.
type Units interface {
	Tenant(t tenancy.Tenant) uow.Unit
}

// NewJobs makes the process's Jobs.
func NewJobs(units Units, d Decider, r Recorder, c clock.Clock, ids id.Source, log *slog.Logger) *Jobs {
	return &Jobs{units: units, decider: d, recorder: r, clock: c, ids: ids, log: log}
}

// Runner makes the runner of one job in one tenant.
func (j *Jobs) Runner(t tenancy.Tenant, d Def) *Runner { return j.RunnerOn(t, d, j.units.Tenant(t)) }

// RunnerOn makes the runner of a job that works in a unit of its own kind.
func (j *Jobs) RunnerOn(t tenancy.Tenant, d Def, u uow.Unit) *Runner {
	return j.runner(t, authn.Caller{Kind: authn.Job, Label: d.Name}, u)
}

func (j *Jobs) runner(t tenancy.Tenant, caller authn.Caller, u uow.Unit) *Runner {
	r := scope.Request{Tenant: t, Caller: caller}
	return NewRunner(r, u, j.decider, j.recorder, j.clock, j.ids, j.log)
}

// visiting is the rule by which the operator acts inside a tenant.
const visiting = "operator"

// Witness tells a tenant's own trail what the operator did to the tenant.
func (j *Jobs) Witness(ctx context.Context, t tenancy.Tenant, d Def, by authn.Caller) {
	j.WitnessIn(ctx, t, t, d, by)
}

// WitnessIn tells the trail of one tenant what the operator does to another,
// whose own trail the operation itself stands in.
func (j *Jobs) WitnessIn(ctx context.Context, in, about tenancy.Tenant, d Def, by authn.Caller) {
	r := j.runner(in, by, j.units.Tenant(in))
	e := r.entry(d, Done, nil, Decision{Allow: true, Rule: visiting})
	e.Target = uow.Target{Kind: d.Kind, ID: about.ID.String(), Label: about.Slug}
	r.recordAlone(ctx, e)
}

// Visit runs what the operator does inside a tenant: body and the record in the
// tenant's own trail are one unit of work. That the operator may was decided in
// the operator's tenant, by the operation d that this is a part of. What fails
// is recorded too. A tenant that is suspended is visited like any other.
func (j *Jobs) Visit(ctx context.Context, t tenancy.Tenant, d Def, by authn.Caller, body func(uow.Tx) error) error {
	r := j.runner(t, by, anyStatus{j.units.Tenant(t)})
	return r.execute(ctx, d, Decision{Allow: true, Rule: visiting}, func(tx uow.Tx) (bool, error) { return false, body(tx) })
}

// anyStatus is a unit of work of the operator's, which needs no tenant that is
// served.
type anyStatus struct{ uow.Unit }

func (u anyStatus) Write(ctx context.Context, fn func(uow.Tx) error) error { return u.Record(ctx, fn) }

// Look reads inside a tenant, as Visit writes.
func (j *Jobs) Look(ctx context.Context, t tenancy.Tenant, body func(uow.Tx) error) error {
	return j.units.Tenant(t).Look(ctx, body)
}
