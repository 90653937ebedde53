package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
)

type getMeInput struct {
	httpx.IfNoneMatch
}

func (a *API) getMe(ctx context.Context, in *getMeInput) (*httpx.Resource[User], error) {
	p, err := a.me(scope.From(ctx)).Get(ctx)
	if err != nil {
		return nil, err
	}
	return httpx.Show(show(p), p.Version, in.IfNoneMatch, beside(p)...), nil
}

// OwnChange is the body that changes one's own account.
type OwnChange struct {
	Name     *string `json:"name,omitempty" minLength:"1" maxLength:"120" doc:"What to call you; absent keeps the old name." example:"Ada Lovelace"`
	Locale   *string `json:"locale,omitempty" maxLength:"64" doc:"Language tag (BCP 47). Empty takes the choice back, absent keeps it." example:"de-CH"`
	TimeZone *string `json:"time_zone,omitempty" maxLength:"64" doc:"IANA time zone. Empty takes the choice back, absent keeps it." example:"Europe/Zurich"`
}

type updateMeInput struct {
	httpx.IfMatch
	Body OwnChange
}

func (a *API) updateMe(ctx context.Context, in *updateMeInput) (*httpx.Resource[User], error) {
	version, err := in.Version()
	if err != nil {
		return nil, err
	}
	return changed(a.me(scope.From(ctx)).Update(ctx, version, domain.Change{
		Name: in.Body.Name, Locale: in.Body.Locale, TimeZone: in.Body.TimeZone,
	}))
}

// PasswordChange is the body that changes one's own password.
type PasswordChange struct {
	Current string `json:"current" format:"password" maxLength:"1024" doc:"The password you have now."`
	New     string `json:"new" format:"password" maxLength:"1024" doc:"15 to 256 characters of any kind (from 8 with a second factor); no common password, not your name or e-mail address."`
}

type setMyPasswordInput struct {
	Body PasswordChange
}

func (a *API) setMyPassword(ctx context.Context, in *setMyPasswordInput) (*httpx.Nothing, error) {
	return nothing(a.me(scope.From(ctx)).SetPassword(ctx, secret.New(in.Body.Current), secret.New(in.Body.New)))
}

// UserSession is how a session is shown.
type UserSession struct {
	ID         uuid.UUID `json:"id" format:"uuid" doc:"Identifies the session."`
	Current    bool      `json:"current" doc:"Whether this request belongs to it."`
	Address    string    `json:"address" doc:"Network address it began from; empty when unknown." example:"192.0.2.7"`
	Client     string    `json:"client" doc:"User-Agent it began with."`
	CreatedAt  time.Time `json:"created_at" doc:"When it began."`
	LastUsedAt time.Time `json:"last_used_at" doc:"When it was last refreshed."`
	ExpiresAt  time.Time `json:"expires_at" doc:"When a new login is needed at the latest; earlier when it is not used."`
}

type listMySessionsInput struct {
	httpx.Paging
}

func (a *API) listMySessions(ctx context.Context, in *listMySessionsInput) (*httpx.Answer[httpx.List[UserSession]], error) {
	req := scope.From(ctx)
	binding := req.Tenant.ID.String() + "|" + service.ListMySessions.Name + "|" + req.Caller.ID.String()
	r, err := in.Request(a.cursors, binding)
	if err != nil {
		return nil, err
	}
	found, err := a.me(req).Sessions(ctx, r)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, binding, showSession(req)), nil
}

func showSession(req scope.Request) func(domain.Session) UserSession {
	return func(s domain.Session) UserSession {
		return UserSession{
			ID: s.ID, Current: s.ID == req.Caller.Session, Address: s.Address, Client: s.Client,
			CreatedAt: s.CreatedAt, LastUsedAt: s.LastUsedAt, ExpiresAt: s.ExpiresAt,
		}
	}
}

type endMySessionInput struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The session's id."`
}

func (a *API) endMySession(ctx context.Context, in *endMySessionInput) (*httpx.Nothing, error) {
	return nothing(a.me(scope.From(ctx)).EndSession(ctx, in.ID))
}

// EmailChange is the body that asks for another e-mail address.
type EmailChange struct {
	Email    string `json:"email" minLength:"3" maxLength:"254" doc:"The new address." example:"ada@lovelace.example"`
	Password string `json:"password" format:"password" maxLength:"1024" doc:"Your password."`
}

type changeMyEmailInput struct {
	Body EmailChange
}

func (a *API) changeMyEmail(ctx context.Context, in *changeMyEmailInput) (*httpx.Nothing, error) {
	return nothing(a.me(scope.From(ctx)).ChangeEmail(ctx, in.Body.Email, secret.New(in.Body.Password)))
}
