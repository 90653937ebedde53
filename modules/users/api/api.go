// Package api shows users, sign-in and one's own account over HTTP.
package api

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
)

// API serves /v1/users, /v1/auth and /v1/me.
type API struct {
	users   func(scope.Request) *service.Users
	auth    func(scope.Request) *service.Auth
	me      func(scope.Request) *service.Me
	cursors *page.Codec
}

// New makes the routes of a process.
func New(users func(scope.Request) *service.Users, auth func(scope.Request) *service.Auth, me func(scope.Request) *service.Me, cursors *page.Codec) *API {
	return &API{users: users, auth: auth, me: me, cursors: cursors}
}

// Register adds the routes.
func (a *API) Register(r *httpx.Router) {
	httpx.Post(r, service.Login, "/v1/auth/login", a.login, httpx.Secret)
	httpx.Post(r, service.Refresh, "/v1/auth/refresh", a.refresh, httpx.Secret, httpx.Describe(
		"A refresh token works once. For a few seconds the same token yields the same successor, for clients that refresh in parallel; "+
			"later its reuse ends the session."))
	httpx.Post(r, service.Logout, "/v1/auth/logout", a.logout)
	httpx.Post(r, service.AcceptInvitation, "/v1/auth/invitations/accept", a.accept, httpx.Secret)

	httpx.Get(r, service.GetMe, "/v1/me", a.getMe)
	httpx.Patch(r, service.UpdateMe, "/v1/me", a.updateMe)
	httpx.Put(r, service.SetMyPassword, "/v1/me/password", a.setMyPassword)
	httpx.Get(r, service.ListMySessions, "/v1/me/sessions", a.listMySessions)
	httpx.Delete(r, service.EndMySession, "/v1/me/sessions/{id}", a.endMySession)

	httpx.Post(r, service.Create, "/v1/users", a.create, httpx.Status(http.StatusCreated))
	httpx.Get(r, service.List, "/v1/users", a.list)
	httpx.Get(r, service.Get, "/v1/users/{id}", a.get)
	httpx.Patch(r, service.Update, "/v1/users/{id}", a.update)
	httpx.Delete(r, service.Delete, "/v1/users/{id}", a.delete)
	httpx.Post(r, service.Suspend, "/v1/users/{id}/suspend", a.suspend)
	httpx.Post(r, service.Resume, "/v1/users/{id}/resume", a.resume)
	httpx.Put(r, service.SetRoles, "/v1/users/{id}/roles", a.setRoles)
}

// User is how a user is shown.
type User struct {
	ID        uuid.UUID            `json:"id" format:"uuid" doc:"Identifies the user for good."`
	Email     string               `json:"email" doc:"E-mail address, unique in the tenant whatever the case of its letters." example:"ada@acme.example"`
	Name      string               `json:"name" doc:"What the user is called." example:"Ada Lovelace"`
	Status    domain.Status        `json:"status" enum:"invited,active,suspended" doc:"Only an active user can sign in."`
	Roles     []string             `json:"roles" doc:"Names of the user's roles, sorted."`
	RolesEnd  map[string]time.Time `json:"roles_end,omitempty" doc:"When those of the roles end that do, by name."`
	CreatedAt time.Time            `json:"created_at" doc:"When the user was added."`
	UpdatedAt time.Time            `json:"updated_at" doc:"When the user was last changed."`
}

func show(p service.Person) User {
	return User{
		ID: p.ID, Email: p.Email.String(), Name: p.Name, Status: p.Status, Roles: append([]string{}, p.Roles...), RolesEnd: p.Ends,
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}

func changed(p service.Person, err error) (*httpx.Resource[User], error) {
	if err != nil {
		return nil, err
	}
	return httpx.Changed(show(p), p.Version), nil
}

// nothing answers 204 unless something went wrong.
func nothing(err error) (*httpx.Nothing, error) {
	if err != nil {
		return nil, err
	}
	return &httpx.Nothing{}, nil
}
