package api

import (
	"context"
	"strings"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
)

// Permission is something that roles can hold.
type Permission struct {
	Name     string         `json:"name" maxLength:"100" doc:"Name of the permission; an operation has the same name as the permission that opens it." example:"users.create"`
	Summary  string         `json:"summary" maxLength:"500" doc:"What it lets people do."`
	Module   string         `json:"module" maxLength:"100" doc:"The first part of the name." example:"users"`
	Origin   service.Origin `json:"origin" enum:"operation,product,tenant" doc:"operation: opens an operation of the API; product, tenant: registered by them, answered by /v1/authz/check and opening nothing here."`
	Guard    string         `json:"guard" enum:"permission,operator" doc:"permission: works in every tenant; operator: in the operator's tenant only."`
	Changes  bool           `json:"changes" doc:"Whether an operation changes anything; false for other permissions, of which it is not known."`
	OwnerToo bool           `json:"owner_too" doc:"Whether who owns the thing in question is allowed without holding the permission."`
}

func showPermission(p service.Permission) Permission {
	guard := "permission"
	if p.Operation.Guard == op.ByLandlord {
		guard = "operator"
	}
	module, _, _ := strings.Cut(p.Name, ".")
	return Permission{
		Name: p.Name, Summary: p.Summary, Module: module, Origin: p.Origin, Guard: guard, Changes: p.Operation.Writes, OwnerToo: p.OwnerToo,
	}
}

func (a *API) permissions(ctx context.Context, _ *struct{}) (*httpx.Answer[httpx.List[Permission]], error) {
	found, err := a.service(scope.From(ctx)).Permissions(ctx)
	if err != nil {
		return nil, err
	}
	out := &httpx.Answer[httpx.List[Permission]]{}
	out.Body.Items = make([]Permission, len(found))
	for i, p := range found {
		out.Body.Items[i] = showPermission(p)
	}
	return out, nil
}

// NewPermission is the body that registers a permission.
type NewPermission struct {
	Name     string `json:"name" minLength:"3" maxLength:"100" doc:"Two to four lower-case words joined by dots; the first must not be a module of the API." example:"billing.refund"`
	Summary  string `json:"summary" minLength:"1" maxLength:"500" doc:"What it lets people do." example:"Refund a payment."`
	OwnerToo bool   `json:"owner_too,omitempty" doc:"Whether who owns the thing in question is allowed without holding the permission."`
}

type createPermissionInput struct {
	Body NewPermission
}

func (a *API) createPermission(ctx context.Context, in *createPermissionInput) (*httpx.Answer[Permission], error) {
	made, err := a.service(scope.From(ctx)).Register(ctx, domain.Custom{
		Name: in.Body.Name, Summary: in.Body.Summary, OwnerToo: in.Body.OwnerToo,
	})
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[Permission]{Body: showPermission(made)}, nil
}

type deletePermissionInput struct {
	Name string `path:"id" maxLength:"100" doc:"Name of the permission."`
}

func (a *API) deletePermission(ctx context.Context, in *deletePermissionInput) (*httpx.Nothing, error) {
	if err := a.service(scope.From(ctx)).Withdraw(ctx, in.Name); err != nil {
		return nil, err
	}
	return &httpx.Nothing{}, nil
}
