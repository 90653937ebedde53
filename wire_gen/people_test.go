package wiregen_test

import (
	"encoding/base32"
	"fmt"
	"net/http"
	"strings"
	"testing"

	usersapi "github.com/insulahq/insula/modules/users/api"
	usersdomain "github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/secret"
)

// Steps that tests about people share.

func (n *tenant) forget(t *testing.T, email string) *response {
	return n.stranger().post(t, "/v1/auth/password/forgot", fmt.Sprintf(`{"email":%q}`, email))
}

func (n *tenant) reset(t *testing.T, token, next string) *response {
	n.secrets.add(token, next)
	return n.stranger().post(t, "/v1/auth/password/reset", fmt.Sprintf(`{"token":%q,"password":%q}`, token, next))
}

// move asks for another address.
func (n *tenant) move(t *testing.T, p person, to string) *response {
	return n.who(p).post(t, "/v1/me/email", fmt.Sprintf(`{"email":%q,"password":%q}`, to, p.password))
}

func (n *tenant) confirmMove(t *testing.T, token string) *response {
	n.secrets.add(token)
	return n.stranger().post(t, "/v1/auth/email/confirm", fmt.Sprintf(`{"token":%q}`, token))
}

func (n *tenant) setUp(t *testing.T, p person) *response {
	return n.who(p).post(t, "/v1/me/mfa/totp", fmt.Sprintf(`{"password":%q}`, p.password))
}

// app is an authenticator app that was set up with an answer.
func (n *tenant) app(t *testing.T, w *response) usersdomain.Authenticator {
	t.Helper()
	seed := decode[usersapi.AuthenticatorSeed](t, w, http.StatusOK)
	n.secrets.add(seed.Secret)
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(seed.Secret)
	if err != nil || !strings.Contains(seed.URL, "secret="+seed.Secret) {
		t.Fatalf("seed %v: %v", seed, err)
	}
	return usersdomain.Authenticator{Seed: secret.New(string(raw))}
}

func (n *tenant) confirmApp(t *testing.T, p person, code string) *response {
	return n.who(p).post(t, "/v1/me/mfa/totp/confirm", fmt.Sprintf(`{"code":%q}`, code))
}

// mistaken is a person who gives the wrong password.
func (n *tenant) mistaken(p person) person {
	p.password = "not my password at all"
	n.secrets.add(p.password)
	return p
}

func (n *tenant) renewCodes(t *testing.T, p person) *response {
	return n.who(p).post(t, "/v1/me/mfa/recovery-codes", fmt.Sprintf(`{"password":%q}`, p.password))
}

// factor is the second factor of a person.
type factor struct {
	usersdomain.Authenticator
	recovery []string
}

// protect sets up a second factor.
func (n *tenant) protect(t *testing.T, p person) factor {
	t.Helper()
	f := factor{Authenticator: n.app(t, n.setUp(t, p))}
	w := n.confirmApp(t, p, f.Code(n.h.clock.Now()))
	f.recovery = decode[usersapi.RecoveryCodes](t, w, http.StatusOK).Codes
	n.secrets.add(f.recovery...)
	return f
}

// secondStep signs in with a code of the second factor.
func (n *tenant) secondStep(t *testing.T, p person, code string) *response {
	t.Helper()
	first := decode[usersapi.LoginAnswer](t, n.login(t, p.email, p.password), http.StatusOK)
	if !first.MFARequired || first.AccessToken != "" || first.RefreshToken != "" {
		t.Fatalf("the first step answered %+v", first)
	}
	return n.verify(t, first.Challenge, code)
}

func (n *tenant) verify(t *testing.T, challenge, code string) *response {
	n.secrets.add(challenge)
	return n.stranger().post(t, "/v1/auth/mfa/verify", fmt.Sprintf(`{"challenge":%q,"code":%q}`, challenge, code))
}

// invitation is the path of an open one.
func (n *tenant) openInvitation(t *testing.T) string {
	t.Helper()
	return "/v1/invitations/" + n.invite(t, someID()+"@example.com").ID.String()
}
