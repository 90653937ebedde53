package auditmodule

import (
	"context"

	"github.com/insulahq/insula/modules/audit"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/tenancy"
)

// Settings declares what can be adjusted of a tenant's trail.
func Settings(c config.Audit) []setting.Declared {
	return []setting.Declared{
		audit.SealEvery.Default(c.SealEvery), audit.SealBatch.Default(int64(c.SealBatch)), audit.Forward.Default(c.Forward),
		audit.Retention.Default(c.Retention), audit.LegalHold.Default(c.LegalHold),
	}
}

// Policies implements audit.Policies by the settings of tenants.
type Policies struct{ settings tenancy.Fresh }

// NewPolicies makes the policies of the process.
func NewPolicies(s tenancy.Fresh) Policies { return Policies{s} }

// PolicyOf implements audit.Policies. It asks anew each time: what it decides
// cannot be taken back.
func (p Policies) PolicyOf(ctx context.Context, t tenancy.Tenant) (audit.Policy, error) {
	in, err := p.settings(ctx, t)
	if err != nil {
		return audit.Policy{}, err
	}
	return audit.Policy{
		Every: audit.SealEvery.In(in), Batch: int(audit.SealBatch.In(in)), Forward: audit.Forward.In(in),
		Keep: audit.Retention.In(in), Hold: audit.LegalHold.In(in),
	}, nil
}
