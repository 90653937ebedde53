package api

import (
	"context"
	"time"

	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
)

// Login is the body that signs in.
type Login struct {
	Email    string `json:"email" maxLength:"254" doc:"The user's e-mail address." example:"ada@acme.example"`
	Password string `json:"password" format:"password" maxLength:"1024" doc:"The user's password."`
}

// Tokens are the answer of signing in and refreshing.
type Tokens struct {
	AccessToken  string `json:"access_token" doc:"Send it as Authorization: Bearer <token>."`
	TokenType    string `json:"token_type" enum:"Bearer" doc:"How the access token is sent."`
	ExpiresIn    int64  `json:"expires_in" doc:"Seconds until the access token expires." example:"600"`
	RefreshToken string `json:"refresh_token" doc:"Exchange it at /v1/auth/refresh for new tokens. It works once."`
}

func showTokens(t service.Tokens, err error) (*httpx.Answer[Tokens], error) {
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[Tokens]{Body: Tokens{
		AccessToken: t.Access.Reveal(), TokenType: "Bearer",
		ExpiresIn: int64(t.ExpiresIn / time.Second), RefreshToken: t.Refresh.Reveal(),
	}}, nil
}

type loginInput struct {
	Body Login
}

func (a *API) login(ctx context.Context, in *loginInput) (*httpx.Answer[Tokens], error) {
	return showTokens(a.auth(scope.From(ctx)).Login(ctx, service.Credentials{
		Email: in.Body.Email, Password: secret.New(in.Body.Password),
	}))
}

// TokenRefresh is the body that continues a session.
type TokenRefresh struct {
	RefreshToken string `json:"refresh_token" maxLength:"200" doc:"The refresh token that came with the last access token."`
}

type refreshInput struct {
	Body TokenRefresh
}

func (a *API) refresh(ctx context.Context, in *refreshInput) (*httpx.Answer[Tokens], error) {
	return showTokens(a.auth(scope.From(ctx)).Refresh(ctx, secret.New(in.Body.RefreshToken)))
}

// InvitationAcceptance is the body that accepts an invitation.
type InvitationAcceptance struct {
	Token    string `json:"token" maxLength:"200" doc:"The one-time token of the invitation."`
	Password string `json:"password" format:"password" maxLength:"1024" doc:"15 to 256 characters of any kind; not your name or e-mail address."`
	Name     string `json:"name" minLength:"1" maxLength:"120" doc:"What to call you." example:"Ada Lovelace"`
}

type acceptInput struct {
	Body InvitationAcceptance
}

func (a *API) accept(ctx context.Context, in *acceptInput) (*httpx.Answer[Tokens], error) {
	return showTokens(a.auth(scope.From(ctx)).AcceptInvitation(ctx, service.Acceptance{
		Token: secret.New(in.Body.Token), Password: secret.New(in.Body.Password), Name: in.Body.Name,
	}))
}

func (a *API) logout(ctx context.Context, _ *struct{}) (*httpx.Nothing, error) {
	return nothing(a.auth(scope.From(ctx)).Logout(ctx))
}
