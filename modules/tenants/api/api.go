// Package api shows the registry of tenants over HTTP.
package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// API serves /v1/tenants.
type API struct {
	tenants     func(scope.Request) *service.Tenants
	provisioner tenants.Provisioner
	eraser      tenants.Eraser
	cursors     *page.Codec
	patience    time.Duration
}

// Patience is how long a request that creates a tenant waits for it before it
// answers 202.
const Patience = 5 * time.Second

// New makes the routes of a process.
func New(t func(scope.Request) *service.Tenants, p tenants.Provisioner, e tenants.Eraser, cursors *page.Codec, patience time.Duration) *API {
	return &API{tenants: t, provisioner: p, eraser: e, cursors: cursors, patience: patience}
}

// Register adds the routes.
func (a *API) Register(r *httpx.Router) {
	httpx.Post(r, service.Create, "/v1/tenants", a.create, httpx.Status(http.StatusCreated),
		httpx.Describe("Answers 201 with the active tenant when it is ready within the request, else 202 with the operation to follow in Location."))
	httpx.Get(r, service.List, "/v1/tenants", a.list)
	httpx.Get(r, service.Get, "/v1/tenants/{id}", a.get)
	httpx.Patch(r, service.Update, "/v1/tenants/{id}", a.update)
	httpx.Post(r, service.Suspend, "/v1/tenants/{id}/suspend", a.suspend)
	httpx.Post(r, service.Resume, "/v1/tenants/{id}/resume", a.resume)
	httpx.Delete(r, service.Delete, "/v1/tenants/{id}", a.delete, httpx.Status(http.StatusOK),
		httpx.Describe("The tenant is served to nobody from now on. Until `erase_after` it can be brought back as it was; from then on it may be erased for good."))
	httpx.Post(r, service.Undelete, "/v1/tenants/{id}/undelete", a.undelete)
	httpx.Post(r, service.Erase, "/v1/tenants/{id}/erase", a.erase, httpx.Status(http.StatusAccepted),
		httpx.Describe("Answers 202 with the operation to follow in Location. From then on the tenant cannot be brought back."))
	httpx.Get(r, service.GetReceipt, "/v1/tenants/{id}/receipt", a.receipt)
	httpx.Get(r, service.GetOperation, "/v1/operations/{id}", a.operation)
}

// Tenant is how a tenant is shown.
type Tenant struct {
	ID        uuid.UUID      `json:"id" format:"uuid"`
	Slug      string         `json:"slug" doc:"Short name, part of the tenant's host name." example:"acme"`
	Name      string         `json:"name" example:"Acme Ltd."`
	Kind      tenancy.Kind   `json:"kind" enum:"customer,operator"`
	Status    tenancy.Status `json:"status" enum:"provisioning,active,suspended,deleting,erasing,erased"`
	Placement string         `json:"placement" doc:"The database that houses it." example:"main"`
	CreatedAt time.Time      `json:"created_at"`
	UpdatedAt time.Time      `json:"updated_at"`
}

func show(t domain.Tenant) Tenant {
	return Tenant{
		ID: t.ID, Slug: t.Slug, Name: t.Name, Kind: t.Kind, Status: t.Status, Placement: t.Home(),
		CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
	}
}

// TenantID is the path of one tenant.
type TenantID struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The tenant's id."`
}

type getInput struct {
	TenantID
	httpx.IfNoneMatch
}

func (a *API) get(ctx context.Context, in *getInput) (*httpx.Resource[Tenant], error) {
	t, err := a.tenants(scope.From(ctx)).Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return httpx.Show(show(t), t.Version, in.IfNoneMatch), nil
}

type listInput struct {
	httpx.Paging
	Status string `query:"status" enum:"provisioning,active,suspended,deleting,erasing,erased" doc:"Only tenants with this status."`
}

func (a *API) list(ctx context.Context, in *listInput) (*httpx.Answer[httpx.List[Tenant]], error) {
	req := scope.From(ctx)
	binding := req.Tenant.ID.String() + "|" + service.List.Name + "|" + in.Status
	r, err := in.Request(a.cursors, binding)
	if err != nil {
		return nil, err
	}
	found, err := a.tenants(req).List(ctx, domain.Spec{Status: tenancy.Status(in.Status)}, r)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, binding, show), nil
}
