package tenantsmodule

import (
	"context"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// Origins tells which web origins may read what a tenant answers. The gate
// has brought the settings up to date for who is signed in; for a stranger they
// are asked for anew, and without an answer nobody may.
func Origins(s *tenancy.Settings, fresh tenancy.Fresh) func(context.Context, scope.Request) []string {
	return func(ctx context.Context, r scope.Request) []string {
		if r.Caller.SignedIn() {
			return tenants.WebOrigins.In(s.Of(r.Tenant))
		}
		in, err := fresh(ctx, r.Tenant)
		if err != nil {
			return nil
		}
		return tenants.WebOrigins.In(in)
	}
}
