package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

type listSessionsInput struct {
	UserID
	httpx.Paging
}

func (a *API) listSessions(ctx context.Context, in *listSessionsInput) (*httpx.Answer[httpx.List[UserSession]], error) {
	req := scope.From(ctx)
	binding := req.Tenant.ID.String() + "|" + service.ListSessions.Name + "|" + in.ID.String()
	r, err := in.Request(a.cursors, binding)
	if err != nil {
		return nil, err
	}
	found, err := a.users(req).Sessions(ctx, in.ID, r)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, binding, showSession(req)), nil
}

func (a *API) endSessions(ctx context.Context, in *actInput) (*httpx.Nothing, error) {
	return nothing(a.users(scope.From(ctx)).EndSessions(ctx, in.ID))
}

type endSessionInput struct {
	UserID
	Session uuid.UUID `path:"session" format:"uuid" doc:"The session's id."`
}

func (a *API) endSession(ctx context.Context, in *endSessionInput) (*httpx.Nothing, error) {
	return nothing(a.users(scope.From(ctx)).EndSession(ctx, in.ID, in.Session))
}
