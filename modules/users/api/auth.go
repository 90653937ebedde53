package api

import (
	"context"
	"time"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
)

// Login is the body that signs in.
type Login struct {
	Email    string `json:"email" maxLength:"254" doc:"The user's e-mail address." example:"ada@acme.example"`
	Password string `json:"password" format:"password" maxLength:"1024" doc:"The user's password."`
	Device   string `json:"device_token,omitempty" maxLength:"200" doc:"device_token of an earlier login from this device, if there is one."`
}

// LoginAnswer is the answer of signing in: tokens, or a challenge when a
// second factor is needed.
type LoginAnswer struct {
	AccessToken  string `json:"access_token,omitempty" doc:"Send it as Authorization: Bearer <token>."`
	TokenType    string `json:"token_type,omitempty" enum:"Bearer" doc:"How the access token is sent."`
	ExpiresIn    int64  `json:"expires_in" doc:"Seconds until the access token, or the challenge, expires." example:"600"`
	RefreshToken string `json:"refresh_token,omitempty" doc:"Exchange it at /v1/auth/refresh for new tokens. It works once."`
	DeviceToken  string `json:"device_token,omitempty" doc:"Keep it on this device and send it with the next login."`
	MFARequired  bool   `json:"mfa_required,omitempty" doc:"Whether a code of the second factor is needed."`
	Challenge    string `json:"challenge,omitempty" doc:"Send it with the code to /v1/auth/mfa/verify."`
}

// Tokens are the answer of refreshing and of everything that ends with being
// signed in.
type Tokens struct {
	AccessToken  string `json:"access_token" doc:"Send it as Authorization: Bearer <token>."`
	TokenType    string `json:"token_type" enum:"Bearer" doc:"How the access token is sent."`
	ExpiresIn    int64  `json:"expires_in" doc:"Seconds until the access token expires." example:"600"`
	RefreshToken string `json:"refresh_token" doc:"Exchange it at /v1/auth/refresh for new tokens. It works once."`
	DeviceToken  string `json:"device_token,omitempty" doc:"Keep it on this device and send it with the next login."`
}

func showTokens(t service.Tokens, err error) (*httpx.Answer[Tokens], error) {
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[Tokens]{Body: Tokens{
		AccessToken: t.Access.Reveal(), TokenType: "Bearer",
		ExpiresIn: int64(t.ExpiresIn / time.Second), RefreshToken: t.Refresh.Reveal(),
		DeviceToken: t.Device.Reveal(),
	}}, nil
}

type loginInput struct {
	Body Login
}

func (a *API) login(ctx context.Context, in *loginInput) (*httpx.Answer[LoginAnswer], error) {
	s, err := a.auth(scope.From(ctx)).Login(ctx, service.Credentials{
		Email: in.Body.Email, Password: secret.New(in.Body.Password), Device: secret.New(in.Body.Device),
	})
	if err != nil {
		return nil, err
	}
	if !s.Challenge.IsZero() {
		return &httpx.Answer[LoginAnswer]{Body: LoginAnswer{
			MFARequired: true, Challenge: s.Challenge.Reveal(), ExpiresIn: int64(domain.ChallengeLifetime / time.Second),
		}}, nil
	}
	return &httpx.Answer[LoginAnswer]{Body: LoginAnswer{
		AccessToken: s.Tokens.Access.Reveal(), TokenType: "Bearer", ExpiresIn: int64(s.Tokens.ExpiresIn / time.Second),
		RefreshToken: s.Tokens.Refresh.Reveal(), DeviceToken: s.Tokens.Device.Reveal(),
	}}, nil
}

// SecondStep is the body that finishes a login.
type SecondStep struct {
	Challenge string `json:"challenge" maxLength:"2000" doc:"The challenge of the login."`
	Code      string `json:"code" minLength:"6" maxLength:"40" doc:"Six digits of the authenticator app, or a recovery code. Either works once." example:"123456"`
}

type verifyInput struct {
	Body SecondStep
}

func (a *API) verify(ctx context.Context, in *verifyInput) (*httpx.Answer[Tokens], error) {
	return showTokens(a.auth(scope.From(ctx)).Verify(ctx, secret.New(in.Body.Challenge), secret.New(in.Body.Code)))
}

// ForgottenPassword is the body that asks for a link.
type ForgottenPassword struct {
	Email string `json:"email" maxLength:"254" doc:"The user's e-mail address." example:"ada@acme.example"`
}

type forgotInput struct {
	Body ForgottenPassword
}

func (a *API) forgot(ctx context.Context, in *forgotInput) (*httpx.Nothing, error) {
	return nothing(a.auth(scope.From(ctx)).ForgotPassword(ctx, in.Body.Email))
}

// PasswordReset is the body that chooses a new password.
type PasswordReset struct {
	Token    string `json:"token" maxLength:"200" doc:"The one-time token of the mail."`
	Password string `json:"password" format:"password" maxLength:"1024" doc:"15 to 256 characters of any kind (from 8 with a second factor); no common password, not your name or e-mail address."`
}

type resetInput struct {
	Body PasswordReset
}

func (a *API) reset(ctx context.Context, in *resetInput) (*httpx.Nothing, error) {
	return nothing(a.auth(scope.From(ctx)).ResetPassword(ctx, secret.New(in.Body.Token), secret.New(in.Body.Password)))
}

// EmailConfirmation is the body that confirms a new e-mail address.
type EmailConfirmation struct {
	Token string `json:"token" maxLength:"200" doc:"The one-time token of the mail."`
}

type confirmEmailInput struct {
	Body EmailConfirmation
}

func (a *API) confirmEmail(ctx context.Context, in *confirmEmailInput) (*httpx.Nothing, error) {
	return nothing(a.auth(scope.From(ctx)).ConfirmEmail(ctx, secret.New(in.Body.Token)))
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
	Password string `json:"password" format:"password" maxLength:"1024" doc:"15 to 256 characters of any kind; no common password, not your name or e-mail address."`
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
