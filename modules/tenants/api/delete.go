package api

import (
	"context"
	"time"

	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// DeletedTenant is how a tenant is shown that was deleted just now.
type DeletedTenant struct {
	Tenant
	EraseAfter time.Time `json:"erase_after" doc:"When the grace is over; until then the tenant can be brought back."`
}

type deleteInput struct {
	TenantID
	httpx.IfMatch
}

func (a *API) delete(ctx context.Context, in *deleteInput) (*httpx.Resource[DeletedTenant], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	d, err := a.tenants(scope.From(ctx)).Delete(ctx, in.ID, version)
	if err != nil {
		return nil, err
	}
	return httpx.Changed(DeletedTenant{Tenant: show(d.Tenant), EraseAfter: d.EraseAfter}, d.Tenant.Version), nil
}

func (a *API) undelete(ctx context.Context, in *actInput) (*httpx.Resource[Tenant], error) {
	return changed(a.tenants(scope.From(ctx)).Undelete(ctx, in.ID))
}
