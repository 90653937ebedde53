// Package api shows users, sign-in and one's own account over HTTP.
package api

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
)

// API serves /v1/users, /v1/invitations, /v1/api-keys, /v1/auth and /v1/me.
type API struct {
	users   func(scope.Request) *service.Users
	auth    func(scope.Request) *service.Auth
	me      func(scope.Request) *service.Me
	keys    func(scope.Request) *service.APIKeys
	cursors *page.Codec
}

// Services makes the services of a request.
type Services struct {
	Users   func(scope.Request) *service.Users
	Auth    func(scope.Request) *service.Auth
	Me      func(scope.Request) *service.Me
	APIKeys func(scope.Request) *service.APIKeys
}

// New makes the routes of a process.
func New(s Services, cursors *page.Codec) *API {
	return &API{users: s.Users, auth: s.Auth, me: s.Me, keys: s.APIKeys, cursors: cursors}
}

// Register adds the routes.
func (a *API) Register(r *httpx.Router) {
	a.registerAuth(r)
	a.registerMe(r)
	a.registerUsers(r)
	a.registerKeys(r)
}

func (a *API) registerAuth(r *httpx.Router) {
	httpx.Post(r, service.Login, "/v1/auth/login", a.login, httpx.Secret, httpx.Describe(
		"With a second factor the answer holds mfa_required and a challenge instead of tokens; go on at /v1/auth/mfa/verify. "+
			"Send the device_token of an earlier login from the same device: then what strangers try on the account cannot slow you down."))
	httpx.Post(r, service.Verify, "/v1/auth/mfa/verify", a.verify, httpx.Secret)
	httpx.Post(r, service.Refresh, "/v1/auth/refresh", a.refresh, httpx.Secret, httpx.Describe(
		"A refresh token works once. For a few seconds the same token yields the same successor, for clients that refresh in parallel; "+
			"later its reuse ends the session."))
	httpx.Post(r, service.Logout, "/v1/auth/logout", a.logout)
	httpx.Post(r, service.AcceptInvitation, "/v1/auth/invitations/accept", a.accept, httpx.Secret)
	httpx.Post(r, service.ForgotPassword, "/v1/auth/password/forgot", a.forgot, httpx.Describe(
		"The answer is the same whether or not somebody has this address."))
	httpx.Post(r, service.ResetPassword, "/v1/auth/password/reset", a.reset, httpx.Describe(
		"Ends all sessions of the user and begins none: sign in with the new password, and with the second factor if there is one."))
	httpx.Post(r, service.ConfirmEmail, "/v1/auth/email/confirm", a.confirmEmail)
}

func (a *API) registerMe(r *httpx.Router) {
	httpx.Get(r, service.GetMe, "/v1/me", a.getMe)
	httpx.Patch(r, service.UpdateMe, "/v1/me", a.updateMe)
	httpx.Put(r, service.SetMyPassword, "/v1/me/password", a.setMyPassword)
	httpx.Get(r, service.ListMySessions, "/v1/me/sessions", a.listMySessions)
	httpx.Delete(r, service.EndMySession, "/v1/me/sessions/{id}", a.endMySession)
	httpx.Post(r, service.ChangeMyEmail, "/v1/me/email", a.changeMyEmail, httpx.Describe(
		"A link goes to the new address; until it is confirmed at /v1/auth/email/confirm the old one stays."))
	httpx.Post(r, service.SetUpSecondFactor, "/v1/me/mfa/totp", a.setUpSecondFactor, httpx.Secret)
	httpx.Post(r, service.ConfirmSecondFactor, "/v1/me/mfa/totp/confirm", a.confirmSecondFactor, httpx.Secret)
	httpx.Delete(r, service.RemoveSecondFactor, "/v1/me/mfa/totp", a.removeSecondFactor)
	httpx.Post(r, service.RenewRecoveryCodes, "/v1/me/mfa/recovery-codes", a.renewRecoveryCodes, httpx.Secret)
}

func (a *API) registerUsers(r *httpx.Router) {
	httpx.Post(r, service.Create, "/v1/users", a.create, httpx.Status(http.StatusCreated))
	httpx.Get(r, service.List, "/v1/users", a.list)
	httpx.Get(r, service.Get, "/v1/users/{id}", a.get)
	httpx.Patch(r, service.Update, "/v1/users/{id}", a.update)
	httpx.Delete(r, service.Delete, "/v1/users/{id}", a.delete)
	httpx.Post(r, service.Suspend, "/v1/users/{id}/suspend", a.suspend)
	httpx.Post(r, service.Resume, "/v1/users/{id}/resume", a.resume)
	httpx.Put(r, service.SetRoles, "/v1/users/{id}/roles", a.setRoles)
	httpx.Get(r, service.ListSessions, "/v1/users/{id}/sessions", a.listSessions)
	httpx.Delete(r, service.EndSessions, "/v1/users/{id}/sessions", a.endSessions)
	httpx.Delete(r, service.EndSession, "/v1/users/{id}/sessions/{session}", a.endSession)

	httpx.Post(r, service.Invite, "/v1/invitations", a.invite, httpx.Status(http.StatusCreated))
	httpx.Get(r, service.ListInvitations, "/v1/invitations", a.listInvitations)
	httpx.Post(r, service.ResendInvitation, "/v1/invitations/{id}/resend", a.resendInvitation)
	httpx.Delete(r, service.RevokeInvitation, "/v1/invitations/{id}", a.revokeInvitation)
}

func (a *API) registerKeys(r *httpx.Router) {
	httpx.Post(r, service.CreateAPIKey, "/v1/api-keys", a.createAPIKey, httpx.Secret, httpx.Status(http.StatusCreated), httpx.Describe(
		"The key is in this answer and nowhere else. It never holds more than the user who made it."))
	httpx.Get(r, service.ListAPIKeys, "/v1/api-keys", a.listAPIKeys)
	httpx.Delete(r, service.RevokeAPIKey, "/v1/api-keys/{id}", a.revokeAPIKey)
}

// User is how a user is shown.
type User struct {
	ID        uuid.UUID            `json:"id" format:"uuid" doc:"Identifies the user for good."`
	Email     string               `json:"email" doc:"E-mail address, unique in the tenant whatever the case of its letters." example:"ada@acme.example"`
	Name      string               `json:"name" doc:"What the user is called." example:"Ada Lovelace"`
	Locale    string               `json:"locale" doc:"Language tag (BCP 47); empty when not chosen." example:"de-CH"`
	TimeZone  string               `json:"time_zone" doc:"IANA time zone; empty when not chosen." example:"Europe/Zurich"`
	Status    domain.Status        `json:"status" enum:"invited,active,suspended" doc:"Only an active user can sign in."`
	Factor    bool                 `json:"second_factor" doc:"Whether signing in takes a second factor."`
	Roles     []string             `json:"roles" doc:"Names of the user's roles, sorted."`
	RolesEnd  map[string]time.Time `json:"roles_end,omitempty" doc:"When those of the roles end that do, by name."`
	CreatedAt time.Time            `json:"created_at" doc:"When the user was added."`
	UpdatedAt time.Time            `json:"updated_at" doc:"When the user was last changed."`
}

func show(p service.Person) User {
	return User{
		ID: p.ID, Email: p.Email.String(), Name: p.Name, Locale: p.Locale, TimeZone: p.TimeZone,
		Status: p.Status, Factor: p.SecondFactor, Roles: append([]string{}, p.Roles...), RolesEnd: p.Ends,
		CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
	}
}

// beside is what a user's answer shows that changes without the user: a role
// can end by itself, and be replaced by another.
func beside(p service.Person) []string {
	all := slices.Clone(p.Roles)
	for _, role := range slices.Sorted(maps.Keys(p.Ends)) {
		all = append(all, role, p.Ends[role].UTC().Format(time.RFC3339Nano))
	}
	return all
}

func changed(p service.Person, err error) (*httpx.Resource[User], error) {
	if err != nil {
		return nil, err
	}
	return httpx.Changed(show(p), p.Version, beside(p)...), nil
}

// nothing answers 204 unless something went wrong.
func nothing(err error) (*httpx.Nothing, error) {
	if err != nil {
		return nil, err
	}
	return &httpx.Nothing{}, nil
}
