package api

import (
	"context"

	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
)

// PasswordProof is the body of what asks for the password once more.
type PasswordProof struct {
	Password string `json:"password" format:"password" maxLength:"1024" doc:"Your password."`
}

type provenInput struct {
	Body PasswordProof
}

// AuthenticatorSeed is what an authenticator app is set up with.
type AuthenticatorSeed struct {
	Secret string `json:"secret" doc:"The seed in base32, to type in." example:"JBSWY3DPEHPK3PXP"`
	URL    string `json:"url" doc:"The seed as otpauth URL, for a QR code."`
}

func (a *API) setUpSecondFactor(ctx context.Context, in *provenInput) (*httpx.Answer[AuthenticatorSeed], error) {
	seed, err := a.me(scope.From(ctx)).SetUpSecondFactor(ctx, secret.New(in.Body.Password))
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[AuthenticatorSeed]{Body: AuthenticatorSeed{Secret: seed.Text.Reveal(), URL: seed.URL.Reveal()}}, nil
}

// AuthenticatorCode is the body that confirms an authenticator app.
type AuthenticatorCode struct {
	Code string `json:"code" minLength:"6" maxLength:"6" pattern:"^[0-9]{6}$" doc:"What the app shows." example:"123456"`
}

type confirmSecondFactorInput struct {
	Body AuthenticatorCode
}

// RecoveryCodes are shown once.
type RecoveryCodes struct {
	Codes []string `json:"recovery_codes" doc:"Each stands in for a code of the app, once. Keep them where the phone is not."`
}

func (a *API) confirmSecondFactor(ctx context.Context, in *confirmSecondFactorInput) (*httpx.Answer[RecoveryCodes], error) {
	return showCodes(a.me(scope.From(ctx)).ConfirmSecondFactor(ctx, in.Body.Code))
}

func (a *API) renewRecoveryCodes(ctx context.Context, in *provenInput) (*httpx.Answer[RecoveryCodes], error) {
	return showCodes(a.me(scope.From(ctx)).RenewRecoveryCodes(ctx, secret.New(in.Body.Password)))
}

func showCodes(codes []secret.Value, err error) (*httpx.Answer[RecoveryCodes], error) {
	if err != nil {
		return nil, err
	}
	out := &httpx.Answer[RecoveryCodes]{Body: RecoveryCodes{Codes: make([]string, len(codes))}}
	for i, c := range codes {
		out.Body.Codes[i] = c.Reveal()
	}
	return out, nil
}

func (a *API) removeSecondFactor(ctx context.Context, in *provenInput) (*httpx.Nothing, error) {
	return nothing(a.me(scope.From(ctx)).RemoveSecondFactor(ctx, secret.New(in.Body.Password)))
}
