package tenantsmodule

import (
	"context"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
)

// Foundry makes the runner of a job that works in a schema while it is made.
type Foundry func(t tenancy.Tenant, d op.Def, p pg.Provisioning) *op.Runner

// Builder implements service.Builder with the migrator's rights.
type Builder struct {
	foundry Foundry
	tenants *infra.Directory
	mirror  *infra.Mirror
	clock   clock.Clock
}

// NewBuilder makes the builder of a process.
func NewBuilder(f Foundry, d *infra.Directory, m *infra.Mirror, c clock.Clock) *Builder {
	return &Builder{foundry: f, tenants: d, mirror: m, clock: c}
}

// Announce implements service.Builder.
func (b *Builder) Announce(ctx context.Context, t domain.Tenant) error {
	return b.mirror.Announce(ctx, t)
}

// Open implements service.Builder.
func (b *Builder) Open(ctx context.Context, t domain.Tenant) (domain.Tenant, error) {
	return b.mirror.Open(ctx, t.ID, b.clock.Now())
}

// Runner implements service.Builder. What fails is recorded in the landlord's
// trail: the tenant has none yet.
func (b *Builder) Runner(t domain.Tenant, d op.Def, claim service.Claim) *op.Runner {
	return b.foundry(t.Tenant, d, pg.Provisioning{
		Schema:   t.Schema,
		Landlord: t.Kind == tenancy.Landlord,
		Spare:    t.Home() == tenancy.MainPlacement, // which has the stock
		Claim:    claim,
		Witness: func(ctx context.Context) (string, error) {
			landlord, err := b.tenants.Landlord(ctx)
			return landlord.Schema, err
		},
	})
}
