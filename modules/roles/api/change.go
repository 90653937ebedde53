package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/scope"
)

// NewRole is the body that makes a role.
type NewRole struct {
	Name        string   `json:"name" minLength:"1" maxLength:"60" doc:"Lower-case words of letters and digits, joined by hyphens or underscores. It stays for good." example:"support-lead"`
	Description string   `json:"description,omitempty" maxLength:"500" doc:"What the role is for."`
	Permissions []string `json:"permissions,omitempty" maxItems:"500" doc:"Permissions by name, or patterns: users.* stands for all that begins with users., also those that come later." example:"[\"users.list\",\"files.*\"]"`
	Parents     []string `json:"parents,omitempty" maxItems:"20" doc:"Names of roles whose permissions the role has too." example:"[\"member\"]"`
}

type createInput struct {
	Body NewRole
}

func (a *API) create(ctx context.Context, in *createInput) (*httpx.Resource[Role], error) {
	made, err := a.service(scope.From(ctx)).Create(ctx, domain.Draft{
		Name: in.Body.Name, Description: in.Body.Description, Entries: in.Body.Permissions, Parents: in.Body.Parents,
	})
	if err != nil {
		return nil, err
	}
	return httpx.Created(showRole(made), made.Version, "/v1/roles/"+made.ID.String(), beside(made)...), nil
}

// RoleChange is the body that changes a role.
type RoleChange struct {
	Description *string   `json:"description,omitempty" maxLength:"500" doc:"New description; absent keeps the old one."`
	Permissions *[]string `json:"permissions,omitempty" maxItems:"500" doc:"All that the role is to be made of; absent keeps what is there."`
	Parents     *[]string `json:"parents,omitempty" maxItems:"20" doc:"Names of all roles that it is to inherit from; absent keeps those it has."`
}

type updateInput struct {
	ID string `path:"id" format:"uuid" doc:"Identifier of the role."`
	httpx.IfMatch
	Body RoleChange
}

func (a *API) update(ctx context.Context, in *updateInput) (*httpx.Resource[Role], error) {
	key, version, err := aimed(in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	after, err := a.service(scope.From(ctx)).Update(ctx, key, version, domain.Change{
		Description: in.Body.Description, Entries: in.Body.Permissions, Parents: in.Body.Parents,
	})
	if err != nil {
		return nil, err
	}
	return httpx.Changed(showRole(after), after.Version, beside(after)...), nil
}

type deleteInput struct {
	ID          string `path:"id" format:"uuid" doc:"Identifier of the role."`
	ReplaceWith string `query:"replace_with" format:"uuid" doc:"Identifier of the role that takes its place, for the users and the roles that have it. Without one a role in use is not deleted."`
	httpx.IfMatch
}

func (a *API) delete(ctx context.Context, in *deleteInput) (*httpx.Nothing, error) {
	key, version, err := aimed(in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	replacement := uuid.Nil
	if in.ReplaceWith != "" {
		if replacement, err = id.Parse(in.ReplaceWith); err != nil {
			return nil, domain.ErrReplacement
		}
	}
	if err := a.service(scope.From(ctx)).Delete(ctx, key, version, replacement); err != nil {
		return nil, err
	}
	return &httpx.Nothing{}, nil
}

func aimed(role string, m httpx.IfMatch) (uuid.UUID, int64, error) {
	version, err := m.Version()
	if err != nil {
		return uuid.Nil, 0, err
	}
	key, err := id.Parse(role)
	if err != nil {
		return uuid.Nil, 0, domain.ErrNotFound
	}
	return key, version, nil
}
