package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// UserInvitation is how an open invitation is shown.
type UserInvitation struct {
	ID        uuid.UUID `json:"id" format:"uuid" doc:"Identifies the invitation, and the user it is for."`
	Email     string    `json:"email" doc:"Where it was sent." example:"ada@acme.example"`
	Name      string    `json:"name" doc:"What the user is called so far." example:"Ada Lovelace"`
	SentAt    time.Time `json:"sent_at" doc:"When the link was last sent."`
	ExpiresAt time.Time `json:"expires_at" doc:"Until when the link works; send it again afterwards."`
}

func showInvitation(i domain.Invitation) UserInvitation {
	return UserInvitation{ID: i.ID, Email: i.Email.String(), Name: i.Name, SentAt: i.SentAt, ExpiresAt: i.ExpiresAt}
}

// NewInvitation is the body that invites somebody.
type NewInvitation struct {
	Email string   `json:"email" minLength:"3" maxLength:"254" doc:"Where the invitation goes, and what the user signs in with." example:"ada@acme.example"`
	Name  string   `json:"name,omitempty" maxLength:"120" doc:"What to call the user, who can change it." example:"Ada Lovelace"`
	Roles []string `json:"roles,omitempty" maxItems:"50" doc:"Names of roles. You cannot hand out more than you hold." example:"[\"member\"]"`
}

type inviteInput struct {
	Body NewInvitation
}

func (a *API) invite(ctx context.Context, in *inviteInput) (*InvitationAnswer, error) {
	i, err := a.users(scope.From(ctx)).Invite(ctx, service.NewUser{Email: in.Body.Email, Name: in.Body.Name, Roles: in.Body.Roles})
	if err != nil {
		return nil, err
	}
	return &InvitationAnswer{Status: http.StatusCreated, Location: "/v1/users/" + i.ID.String(), Body: showInvitation(i)}, nil
}

// InvitationAnswer shows an invitation and where its user is.
type InvitationAnswer struct {
	Status   int
	Location string `header:"Location"`
	Body     UserInvitation
}

type listInvitationsInput struct {
	httpx.Paging
}

func (a *API) listInvitations(ctx context.Context, in *listInvitationsInput) (*httpx.Answer[httpx.List[UserInvitation]], error) {
	req := scope.From(ctx)
	binding := req.Tenant.ID.String() + "|" + service.ListInvitations.Name
	r, err := in.Request(a.cursors, binding)
	if err != nil {
		return nil, err
	}
	found, err := a.users(req).Invitations(ctx, r)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, binding, showInvitation), nil
}

type invitationInput struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The invitation's id."`
}

func (a *API) resendInvitation(ctx context.Context, in *invitationInput) (*httpx.Answer[UserInvitation], error) {
	i, err := a.users(scope.From(ctx)).Resend(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[UserInvitation]{Body: showInvitation(i)}, nil
}

func (a *API) revokeInvitation(ctx context.Context, in *invitationInput) (*httpx.Nothing, error) {
	return nothing(a.users(scope.From(ctx)).Revoke(ctx, in.ID))
}
