package api

import (
	"context"

	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
)

// Permission is an operation that roles can hold.
type Permission struct {
	Name    string `json:"name" maxLength:"100" doc:"Name of the permission, which is that of the operation it opens." example:"users.create"`
	Summary string `json:"summary" maxLength:"500" doc:"What the operation does."`
	Module  string `json:"module" maxLength:"100" doc:"The first part of the name." example:"users"`
	Guard   string `json:"guard" enum:"permission,operator" doc:"permission: works in every tenant; operator: in the operator's tenant only."`
	Changes bool   `json:"changes" doc:"Whether the operation changes anything."`
}

func showPermission(d op.Def) Permission {
	guard := "permission"
	if d.Guard == op.ByLandlord {
		guard = "operator"
	}
	return Permission{Name: d.Name, Summary: d.Summary, Module: d.Module(), Guard: guard, Changes: d.Writes}
}

func (a *API) permissions(ctx context.Context, _ *struct{}) (*httpx.Answer[httpx.List[Permission]], error) {
	defs, err := a.service(scope.From(ctx)).Permissions(ctx)
	if err != nil {
		return nil, err
	}
	out := &httpx.Answer[httpx.List[Permission]]{}
	out.Body.Items = make([]Permission, len(defs))
	for i, d := range defs {
		out.Body.Items[i] = showPermission(d)
	}
	return out, nil
}
