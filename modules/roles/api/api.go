// Package api is the HTTP side of roles.
package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
)

// API serves the module's routes.
type API struct {
	service func(scope.Request) *service.Roles
	cursors *page.Codec
}

// New makes the API; service gives the service of a request.
func New(service func(scope.Request) *service.Roles, cursors *page.Codec) *API {
	return &API{service: service, cursors: cursors}
}

// Register adds the routes.
func (a *API) Register(r *httpx.Router) {
	httpx.Get(r, service.ListPermissions, "/v1/permissions", a.permissions)
	httpx.Get(r, service.List, "/v1/roles", a.list)
	httpx.Get(r, service.Get, "/v1/roles/{id}", a.get)
}

// Role is a role as clients see it.
type Role struct {
	ID          uuid.UUID `json:"id" format:"uuid" doc:"Identifier of the role."`
	Name        string    `json:"name" maxLength:"100" doc:"Name of the role, unique in the tenant." example:"auditor"`
	Description string    `json:"description" maxLength:"500" doc:"What the role is for."`
	BuiltIn     bool      `json:"built_in" doc:"Whether the role comes with the product; then it cannot be changed."`
	Permissions []string  `json:"permissions" maxItems:"1000" doc:"The permissions that the role grants, sorted."`
	CreatedAt   time.Time `json:"created_at" doc:"When the role was made."`
	UpdatedAt   time.Time `json:"updated_at" doc:"When the role was last changed."`
}

func showRole(r domain.Role) Role {
	return Role{
		ID: r.ID, Name: r.Name, Description: r.Description, BuiltIn: r.BuiltIn,
		Permissions: r.Permissions, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}

type listInput struct {
	httpx.Paging
}

func (a *API) list(ctx context.Context, in *listInput) (*httpx.Answer[httpx.List[Role]], error) {
	r := scope.From(ctx)
	binding := r.Tenant.ID.String() + " " + service.List.Name
	p, err := in.Request(a.cursors, binding)
	if err != nil {
		return nil, err
	}
	found, err := a.service(r).List(ctx, p)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, binding, showRole), nil
}

type getInput struct {
	ID string `path:"id" format:"uuid" doc:"Identifier of the role."`
	httpx.IfNoneMatch
}

func (a *API) get(ctx context.Context, in *getInput) (*httpx.Resource[Role], error) {
	key, err := id.Parse(in.ID)
	if err != nil {
		return nil, domain.ErrNotFound
	}
	found, err := a.service(scope.From(ctx)).Get(ctx, key)
	if err != nil {
		return nil, err
	}
	have := in.IfNoneMatch
	if found.BuiltIn { // what it grants may change with the binary, and no version tells
		have = httpx.IfNoneMatch{}
	}
	return httpx.Show(showRole(found), found.Version, have), nil
}
