package e2e_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	bits "encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// app is an authenticator app, written from RFC 6238 alone.
type app struct{ seed []byte }

// newApp sets one up for a signed-in user, and returns it with the recovery
// codes.
func newApp(t *testing.T, c client, password string) (app, []string) {
	t.Helper()
	shown := c.do(t, "POST", "/v1/me/mfa/totp", object("password", password)).want(t, http.StatusOK)
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(shown.text(t, "secret"))
	if err != nil || len(seed) < 20 {
		t.Fatalf("a seed of %d bytes: %v", len(seed), err)
	}
	a := app{seed: seed}
	codes := read[struct {
		Codes []string `json:"recovery_codes"`
	}](t, c.do(t, "POST", "/v1/me/mfa/totp/confirm", object("code", a.code(0))).want(t, http.StatusOK)).Codes
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	return a, codes
}

// code is what the app shows so many intervals from now. A server takes that
// of the next one too, so that a test need not wait for it.
func (a app) code(ahead int64) string {
	mac := hmac.New(sha1.New, a.seed)
	mac.Write(bits.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/30+ahead)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", bits.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000)
}

// challenged is the first step of a login with a second factor.
func (c client) challenged(t *testing.T, email, password string) string {
	t.Helper()
	a := c.stranger().do(t, "POST", "/v1/auth/login", object("email", email, "password", password)).want(t, http.StatusOK)
	said := read[struct {
		MFA       bool   `json:"mfa_required"`
		Access    string `json:"access_token"`
		Refresh   string `json:"refresh_token"`
		Challenge string `json:"challenge"`
	}](t, a)
	if !said.MFA || said.Access != "" || said.Refresh != "" {
		t.Fatalf("the first step answers %s", a.body)
	}
	return said.Challenge
}

// secondStep goes on with a code.
func (c client) secondStep(t *testing.T, challenge, code string) answer {
	t.Helper()
	return c.stranger().do(t, "POST", "/v1/auth/mfa/verify", object("challenge", challenge, "code", code))
}

// TestAPersonsLife walks through what happens to an account in the product as
// it is delivered: invited, accepted, signed in, protected with a second
// factor, the phone lost, recovered, the password changed and forgotten, and
// at every turn the sessions that end.
func TestAPersonsLife(t *testing.T) {
	n := houseOf(t).landlord(t).newTenant(t, "life")
	email := "grace@" + n.slug + ".example"
	n.owner.do(t, "POST", "/v1/invitations", object("email", email, "roles", []string{"member"})).want(t, http.StatusCreated)
	first := n.owner.accept(t, n.invitation(t, email, n.slug), "Grace Hopper")
	grace := n.owner.as(first)
	laptop := grace.as(grace.login(t, email, password))

	phone, codes := newApp(t, grace, password)
	laptop.do(t, "GET", "/v1/me", "").refused(t, http.StatusUnauthorized, "unauthenticated")
	challenge := grace.challenged(t, email, password)
	code := phone.code(1)
	laptop = grace.as(read[tokens](t, grace.secondStep(t, challenge, code).want(t, http.StatusOK)))
	laptop.do(t, "GET", "/v1/me", "").want(t, http.StatusOK)
	grace.secondStep(t, grace.challenged(t, email, password), code).refused(t, http.StatusUnauthorized, "users.second_factor")

	// The phone is lost: a recovery code opens, once, and the second factor
	// moves to another phone.
	laptop = grace.as(read[tokens](t, grace.secondStep(t, grace.challenged(t, email, password), strings.ToUpper(codes[7])).want(t, http.StatusOK)))
	grace.secondStep(t, grace.challenged(t, email, password), codes[7]).refused(t, http.StatusUnauthorized, "users.second_factor")
	laptop.do(t, "DELETE", "/v1/me/mfa/totp", object("password", password)).want(t, http.StatusNoContent)
	grace.do(t, "GET", "/v1/me", "").refused(t, http.StatusUnauthorized, "unauthenticated")
	phone, codes = newApp(t, laptop, password)
	other := read[tokens](t, grace.secondStep(t, grace.challenged(t, email, password), phone.code(1)).want(t, http.StatusOK))

	const next = "a better battery staple"
	laptop.do(t, "PUT", "/v1/me/password", object("current", password, "new", next)).want(t, http.StatusNoContent)
	laptop.do(t, "GET", "/v1/me", "").want(t, http.StatusOK)
	grace.as(other).do(t, "GET", "/v1/me", "").refused(t, http.StatusUnauthorized, "unauthenticated")
	grace.stranger().do(t, "POST", "/v1/auth/refresh", object("refresh_token", other.Refresh)).refused(t, http.StatusUnauthorized, "users.refresh_token")
	grace.stranger().do(t, "POST", "/v1/auth/login", object("email", email, "password", password)).refused(t, http.StatusUnauthorized, "users.credentials")

	n.forgets(t, laptop, email, codes[0])
	for _, subject := range []string{"A second factor was added", "A recovery code was used", "The second factor was removed", "Your password was changed", "Your password was reset"} {
		n.told(t, email, subject)
	}
}

// forgets replaces a forgotten password, which begins no session and leaves
// the second factor where it is.
func (n tenant) forgets(t *testing.T, signedIn client, email, recovery string) {
	t.Helper()
	const last = "the last battery staple"
	stranger := signedIn.stranger()
	stranger.do(t, "POST", "/v1/auth/password/forgot", object("email", email)).want(t, http.StatusNoContent)
	token := n.mailed(t, email, n.slug, "Choose a new password")
	stranger.do(t, "POST", "/v1/auth/password/reset", object("token", token, "password", last)).want(t, http.StatusNoContent)
	stranger.do(t, "POST", "/v1/auth/password/reset", object("token", token, "password", last)).refused(t, http.StatusUnauthorized, "users.reset_token")
	signedIn.do(t, "GET", "/v1/me", "").refused(t, http.StatusUnauthorized, "unauthenticated")
	back := read[tokens](t, stranger.secondStep(t, stranger.challenged(t, email, last), recovery).want(t, http.StatusOK))
	me := read[struct {
		Email  string `json:"email"`
		Factor bool   `json:"second_factor"`
	}](t, stranger.as(back).do(t, "GET", "/v1/me", "").want(t, http.StatusOK))
	if me.Email != email || !me.Factor {
		t.Errorf("I am %+v", me)
	}
}
