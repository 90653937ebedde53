// Package api is the HTTP side of roles, permissions and decisions.
package api

import (
	"context"
	"net/http"
	"slices"
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
	httpx.Post(r, service.CreatePermission, "/v1/permissions", a.createPermission, httpx.Status(http.StatusCreated), httpx.Describe(
		"Roles can hold the permission at once and `/v1/authz/check` knows it; the API itself opens nothing by it. "+
			"Its name cannot begin like that of an operation, so it is never taken for one."))
	httpx.Delete(r, service.DeletePermission, "/v1/permissions/{id}", a.deletePermission)
	httpx.Get(r, service.List, "/v1/roles", a.list)
	httpx.Post(r, service.Create, "/v1/roles", a.create, httpx.Status(http.StatusCreated), httpx.Describe(
		"You cannot make a role that holds more than you do."))
	httpx.Get(r, service.Get, "/v1/roles/{id}", a.get)
	httpx.Patch(r, service.Update, "/v1/roles/{id}", a.update, httpx.Describe(
		"What changes holds at the next request of everybody who has the role or one that inherits from it."))
	httpx.Delete(r, service.Delete, "/v1/roles/{id}", a.delete)
	httpx.Post(r, service.Check, "/v1/authz/check", a.check)
	httpx.Post(r, service.Explain, "/v1/authz/explain", a.explain)
}

// Role is a role as clients see it.
type Role struct {
	ID          uuid.UUID `json:"id" format:"uuid" doc:"Identifier of the role."`
	Name        string    `json:"name" maxLength:"100" doc:"Name of the role, unique in the tenant and for good." example:"auditor"`
	Description string    `json:"description" maxLength:"500" doc:"What the role is for."`
	BuiltIn     bool      `json:"built_in" doc:"Whether the role comes with the product; then it cannot be changed."`
	Permissions []string  `json:"permissions" maxItems:"1000" doc:"What was chosen for the role, sorted: permissions, and patterns such as users.*. All that it grants when it is built in."`
	Parents     []string  `json:"parents" maxItems:"20" doc:"Names of the roles that it inherits from, sorted."`
	Grants      []string  `json:"grants" maxItems:"2000" doc:"All permissions that the role grants here and now, inherited ones among them, sorted."`
	Unknown     []string  `json:"unknown" maxItems:"1000" doc:"Those of its permissions that nothing here knows; they grant nothing."`
	CreatedAt   time.Time `json:"created_at" doc:"When the role was made."`
	UpdatedAt   time.Time `json:"updated_at" doc:"When the role was last changed."`
}

func showRole(r service.Shown) Role {
	return Role{
		ID: r.ID, Name: r.Name, Description: r.Description, BuiltIn: r.BuiltIn, Permissions: r.Entries,
		Parents: r.ParentNames, Grants: r.Grants, Unknown: r.Unknown, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
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

// beside is what a role's answer shows that changes without the role: what it
// grants follows its parents and the binary too.
func beside(r service.Shown) []string {
	next := []string{""} // no name is empty
	return slices.Concat(r.Entries, next, r.ParentNames, next, r.Grants, next, r.Unknown)
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
	return httpx.Show(showRole(found), found.Version, in.IfNoneMatch, beside(found)...), nil
}
