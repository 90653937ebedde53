package api

import (
	"context"
	"net/http"
	"time"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// NewTenant is the body that creates a tenant.
type NewTenant struct {
	Slug       string `json:"slug" minLength:"3" maxLength:"40" doc:"Small letters, digits and hyphens; cannot be changed later." example:"acme"`
	Name       string `json:"name" minLength:"1" maxLength:"120" example:"Acme Ltd."`
	AdminEmail string `json:"admin_email" minLength:"3" maxLength:"254" doc:"Gets an invitation as the first owner." example:"ada@acme.example"`
	Placement  string `json:"placement,omitempty" maxLength:"31" pattern:"^[a-z][a-z0-9-]*$" doc:"The database that is to house it; the main one unless named." example:"east"`
}

type createInput struct {
	Body NewTenant
}

func (a *API) create(ctx context.Context, in *createInput) (*httpx.Resource[Tenant], error) {
	s := a.tenants(scope.From(ctx))
	c, err := s.Create(ctx, service.NewTenant{Slug: in.Body.Slug, Name: in.Body.Name, AdminEmail: in.Body.AdminEmail, Placement: in.Body.Placement})
	if err != nil {
		return nil, err
	}
	patience := time.NewTimer(a.patience)
	defer patience.Stop()
	select {
	case err := <-a.provisioner.Start(c.Tenant.ID):
		if err == nil {
			t := c.Tenant
			t.Status, t.Version = tenancy.Active, t.Version+1
			return httpx.Created(show(t), t.Version, "/v1/tenants/"+t.ID.String()), nil
		}
	case <-patience.C:
	case <-ctx.Done():
	}
	later := httpx.Created(show(c.Tenant), c.Tenant.Version, "/v1/operations/"+c.Operation.String())
	later.Status = http.StatusAccepted
	return later, nil
}

// TenantChange is the body that changes a tenant.
type TenantChange struct {
	Name string `json:"name" minLength:"1" maxLength:"120"`
}

type updateInput struct {
	TenantID
	httpx.IfMatch
	Body TenantChange
}

func (a *API) update(ctx context.Context, in *updateInput) (*httpx.Resource[Tenant], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return changed(a.tenants(scope.From(ctx)).Update(ctx, in.ID, version, in.Body.Name))
}

type actInput struct {
	TenantID
}

func (a *API) suspend(ctx context.Context, in *actInput) (*httpx.Resource[Tenant], error) {
	return changed(a.tenants(scope.From(ctx)).Suspend(ctx, in.ID))
}

func (a *API) resume(ctx context.Context, in *actInput) (*httpx.Resource[Tenant], error) {
	return changed(a.tenants(scope.From(ctx)).Resume(ctx, in.ID))
}

func changed(t domain.Tenant, err error) (*httpx.Resource[Tenant], error) {
	if err != nil {
		return nil, err
	}
	return httpx.Changed(show(t), t.Version), nil
}
