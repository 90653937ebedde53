package api

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// UserID is the path of one user.
type UserID struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The user's id."`
}

// NewUser is the body that adds a user.
type NewUser struct {
	Email string   `json:"email" minLength:"3" maxLength:"254" doc:"Where the invitation goes, and what the user signs in with." example:"ada@acme.example"`
	Name  string   `json:"name" minLength:"1" maxLength:"120" doc:"What to call the user, who can change it." example:"Ada Lovelace"`
	Roles []string `json:"roles,omitempty" maxItems:"50" doc:"Names of roles. You cannot hand out more than you hold." example:"[\"member\"]"`
}

type createInput struct {
	Body NewUser
}

func (a *API) create(ctx context.Context, in *createInput) (*httpx.Resource[User], error) {
	p, err := a.users(scope.From(ctx)).Create(ctx, service.NewUser{Email: in.Body.Email, Name: in.Body.Name, Roles: in.Body.Roles})
	if err != nil {
		return nil, err
	}
	return httpx.Created(show(p), p.Version, "/v1/users/"+p.ID.String(), beside(p)...), nil
}

type listInput struct {
	httpx.Paging
	Status string `query:"status" enum:"invited,active,suspended" doc:"Only users with this status."`
	Email  string `query:"email" maxLength:"254" doc:"Only users whose address begins like this, whatever the case of its letters."`
	Role   string `query:"role" maxLength:"120" doc:"Only users who have the role of this name."`
	From   string `query:"created_from" format:"date-time" doc:"Only users who were added then or later."`
	Before string `query:"created_before" format:"date-time" doc:"Only users who were added before."`
	Sort   string `query:"sort" enum:"newest,email,name" default:"newest" doc:"The newest first, or in the order of addresses or names."`
}

// spec is the specification of a list, and what its cursors are bound to.
func (in *listInput) spec() (service.Search, string, error) {
	s := service.Search{Role: in.Role, Spec: domain.Spec{
		Status: domain.Status(in.Status), EmailPrefix: strings.ToLower(in.Email), Order: domain.Order(in.Sort),
	}}
	for _, at := range []struct {
		name, text string
		to         *time.Time
	}{{"created_from", in.From, &s.CreatedFrom}, {"created_before", in.Before, &s.CreatedBefore}} {
		if at.text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, at.text)
		if err != nil {
			return s, "", domain.ErrInvalid.At("query."+at.name, "must be a time such as 2026-05-01T12:00:00Z")
		}
		*at.to = t.UTC()
	}
	return s, strings.Join([]string{in.Status, s.EmailPrefix, in.Role, in.From, in.Before, in.Sort}, "|"), nil
}

func (a *API) list(ctx context.Context, in *listInput) (*httpx.Answer[httpx.List[User]], error) {
	req := scope.From(ctx)
	spec, filters, err := in.spec()
	if err != nil {
		return nil, err
	}
	binding := strings.Join([]string{req.Tenant.ID.String(), service.List.Name, filters}, "|")
	r, err := in.Request(a.cursors, binding)
	if err != nil {
		return nil, err
	}
	found, err := a.users(req).List(ctx, spec, r)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, binding, show), nil
}

type getInput struct {
	UserID
	httpx.IfNoneMatch
}

func (a *API) get(ctx context.Context, in *getInput) (*httpx.Resource[User], error) {
	p, err := a.users(scope.From(ctx)).Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return httpx.Show(show(p), p.Version, in.IfNoneMatch, beside(p)...), nil
}

// UserChange is the body that changes a user.
type UserChange struct {
	Email *string `json:"email,omitempty" minLength:"3" maxLength:"254" doc:"New address; absent keeps the old one."`
	Name  *string `json:"name,omitempty" minLength:"1" maxLength:"120" doc:"New name; absent keeps the old one."`
}

type updateInput struct {
	UserID
	httpx.IfMatch
	Body UserChange
}

func (a *API) update(ctx context.Context, in *updateInput) (*httpx.Resource[User], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return changed(a.users(scope.From(ctx)).Update(ctx, in.ID, version, domain.Change{Email: in.Body.Email, Name: in.Body.Name}))
}

type deleteInput struct {
	UserID
	httpx.IfMatch
}

func (a *API) delete(ctx context.Context, in *deleteInput) (*httpx.Nothing, error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return nothing(a.users(scope.From(ctx)).Delete(ctx, in.ID, version))
}

type actInput struct {
	UserID
}

func (a *API) suspend(ctx context.Context, in *actInput) (*httpx.Resource[User], error) {
	return changed(a.users(scope.From(ctx)).Suspend(ctx, in.ID))
}

func (a *API) resume(ctx context.Context, in *actInput) (*httpx.Resource[User], error) {
	return changed(a.users(scope.From(ctx)).Resume(ctx, in.ID))
}

// UserRoles is the body that chooses the roles of a user.
type UserRoles struct {
	Roles []string             `json:"roles" maxItems:"50" doc:"Names of all roles the user is to have. You cannot hand out more than you hold." example:"[\"member\"]"`
	Ends  map[string]time.Time `json:"ends,omitempty" doc:"When those of the roles end that are not for good, by name: from then on the user does not have the role." example:"{\"auditor\":\"2027-01-01T00:00:00Z\"}"`
}

type setRolesInput struct {
	UserID
	httpx.IfMatch
	Body UserRoles
}

func (a *API) setRoles(ctx context.Context, in *setRolesInput) (*httpx.Resource[User], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return changed(a.users(scope.From(ctx)).SetRoles(ctx, in.ID, version, in.Body.Roles, in.Body.Ends))
}
