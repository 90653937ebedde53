package tenantsmodule

import (
	"context"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
)

// Builder implements service.Builder with the migrator's rights.
type Builder struct {
	migrator *pg.Migrator
	jobs     *op.Jobs
	tenants  *infra.Directory
}

// NewBuilder makes the builder of a process.
func NewBuilder(m *pg.Migrator, jobs *op.Jobs, d *infra.Directory) *Builder {
	return &Builder{migrator: m, jobs: jobs, tenants: d}
}

// Runner implements service.Builder. What fails is recorded in the landlord's
// trail: the tenant has none yet.
func (b *Builder) Runner(t domain.Tenant, d op.Def, claim service.Claim) *op.Runner {
	return b.jobs.RunnerOn(t.Tenant, d, b.migrator.Unit(pg.Provisioning{
		Schema:   t.Schema,
		Landlord: t.Kind == tenancy.Landlord,
		Claim:    claim,
		Witness: func(ctx context.Context) (string, error) {
			landlord, err := b.tenants.Landlord(ctx)
			return landlord.Schema, err
		},
	}))
}
