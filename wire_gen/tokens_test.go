package wiregen_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	usersapi "github.com/insulahq/insula/modules/users/api"
	"github.com/insulahq/insula/platform/config"
)

// mold is what the tokens of a session are made of, to make others that are
// wrong in one respect.
type mold struct {
	t              *testing.T
	header, claims map[string]any
	private        ed25519.PrivateKey
}

// moldOf takes a genuine token apart and gets hold of the key that signed it.
func (h *house) moldOf(t *testing.T, token string) mold {
	t.Helper()
	key := h.Keys.Active()
	sealed, err := key.Seal(h.Config.Security.SecretKey, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := h.Config.Security.SecretKey.Open(sealed, []byte("insula/signing-key/"+key.ID()))
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	m := mold{t: t, private: private.(ed25519.PrivateKey)}
	for i, into := range []*map[string]any{&m.header, &m.claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// changed is a copy of m where the pairs are set; nil takes a name away.
func changed(m map[string]any, pairs ...any) map[string]any {
	m = maps.Clone(m)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
		if pairs[i+1] == nil {
			delete(m, pairs[i].(string))
		}
	}
	return m
}

func (m mold) forge(header, claims map[string]any, method jwt.SigningMethod, key any) string {
	m.t.Helper()
	var parts []string
	for _, part := range []map[string]any{header, claims} {
		raw, err := json.Marshal(part)
		if err != nil {
			m.t.Fatal(err)
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(raw))
	}
	text := strings.Join(parts, ".")
	signature, err := method.Sign(text, key)
	if err != nil {
		m.t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// headed is signed by us and has another header.
func (m mold) headed(pairs ...any) string {
	return m.forge(changed(m.header, pairs...), m.claims, jwt.SigningMethodEdDSA, m.private)
}

// claiming is signed by us and says something else.
func (m mold) claiming(pairs ...any) string {
	return m.forge(m.header, changed(m.claims, pairs...), jwt.SigningMethodEdDSA, m.private)
}

// TestForgedTokens sends tokens that are wrong in one respect to the whole
// router. Each gets the same answer, and none leaves a record: it proves
// nobody.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, other := h.tenant(t), h.tenant(t)
	m := h.moldOf(t, n.owner.token)
	public := m.private.Public().(ed25519.PublicKey)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	jwk := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(stranger.Public().(ed25519.PublicKey))}
	if w := h.bearer(m.claiming()).get(t, "/v1/me"); w.Code != http.StatusOK {
		t.Fatalf("a token that is right in every respect: %d %s", w.Code, w.Body)
	}
	now := h.clock.Now()
	none, _, _ := strings.Cut(m.forge(changed(m.header, "alg", "none"), m.claims, jwt.SigningMethodEdDSA, m.private), ".")
	payload := strings.Split(n.owner.token, ".")[1]
	pem := []byte("-----BEGIN PUBLIC KEY-----\n" + base64.StdEncoding.EncodeToString(public) + "\n-----END PUBLIC KEY-----\n")
	before := len(n.events(t, "outcome=denied"))
	for name, token := range map[string]string{
		"alg none":                         none + "." + payload + ".",
		"alg none with our signature":      m.headed("alg", "none"),
		"HS256 with the public key":        m.forge(changed(m.header, "alg", "HS256"), m.claims, jwt.SigningMethodHS256, []byte(public)),
		"HS256 with the public key as PEM": m.forge(changed(m.header, "alg", "HS256"), m.claims, jwt.SigningMethodHS256, pem),
		"a stranger's key under our kid":   m.forge(m.header, m.claims, jwt.SigningMethodEdDSA, stranger),
		"unknown kid":                      m.headed("kid", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		"no kid":                           m.headed("kid", nil),
		"jku":                              m.headed("jku", "https://attacker.example/jwks.json"),
		"x5u":                              m.headed("x5u", "https://attacker.example/cert.pem"),
		"jwk":                              m.forge(changed(m.header, "jwk", jwk), m.claims, jwt.SigningMethodEdDSA, stranger),
		"jwk, signed by us":                m.headed("jwk", jwk),
		"typ JWT":                          m.headed("typ", "JWT"),
		"no typ":                           m.headed("typ", nil),
		"another issuer":                   m.claiming("iss", "https://other.insula.test"),
		"another audience":                 m.claiming("aud", []string{"other-api"}),
		"one more audience":                m.claiming("aud", []string{"insula-api", "other-api"}),
		"no audience":                      m.claiming("aud", nil),
		"another tenant":                   m.claiming("tid", other.id),
		"another user":                     m.claiming("sub", someID()),
		"another session":                  m.claiming("sid", someID()),
		"the session of somebody else":     m.claiming("sub", n.user(t).id),
		"no session":                       m.claiming("sid", uuid.Nil),
		"expired":                          m.claiming("exp", now.Add(-time.Minute).Unix()),
		"without end":                      m.claiming("exp", nil),
		"not valid yet":                    m.claiming("nbf", now.Add(time.Minute).Unix()),
		"from the future":                  m.claiming("iat", now.Add(time.Minute).Unix()),
		"a refresh token":                  n.owner.refresh,
		"an invitation":                    n.invitation(t),
		"one letter changed":               flipped(n.owner.token),
		"nothing":                          "",
		"only dots":                        "..",
		"twice the same":                   n.owner.token + " " + n.owner.token,
		"endless":                          strings.Repeat("a", 1<<16),
	} {
		w := h.bearer(token).get(t, "/v1/me")
		refused(t, w, http.StatusUnauthorized, "unauthenticated")
		if w.Code != http.StatusUnauthorized || len(n.records(t, w)) > 0 {
			t.Errorf("%s: %d, %d records", name, w.Code, len(n.records(t, w)))
		}
	}
	refused(t, h.bearer(m.claiming("tid", someID())).get(t, "/v1/me"), http.StatusNotFound, "tenant_unknown")
	if after := len(n.events(t, "outcome=denied")); after != before {
		t.Errorf("%d refusals in the trail, %d before", after, before)
	}
}

// invitation is the token of a user who has not accepted yet.
func (n *tenant) invitation(t *testing.T) string {
	t.Helper()
	email := uuid.NewString() + "@example.com"
	n.invite(t, email)
	return n.h.mail.token(t, email)
}

// flipped changes one letter in the middle of the signature.
func flipped(token string) string {
	at := len(token) - 40
	letter := byte('A')
	if token[at] == letter {
		letter = 'B'
	}
	return token[:at] + string(letter) + token[at+1:]
}

// TestOneTokenIsNoOther: each kind of token works where it belongs only.
func TestOneTokenIsNoOther(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	invitation := n.invitation(t)
	for name, token := range map[string]string{"access token": n.owner.token, "invitation": invitation, "nothing": ""} {
		unusable(t, name, n.refresh(t, token), "users.refresh_token")
	}
	for name, token := range map[string]string{"access token": n.owner.token, "refresh token": n.owner.refresh, "nothing": ""} {
		unusable(t, name, n.join(t, token, "correct horse battery"), "users.invitation")
	}
	if w := n.join(t, invitation, "correct horse battery"); w.Code != http.StatusOK {
		t.Errorf("the invitation itself: %d %s", w.Code, w.Body)
	}
	refused(t, n.join(t, invitation, "correct horse battery"), http.StatusUnauthorized, "users.invitation")
}

// unusable checks that a token was refused: by this code, or already for a
// length that no token of the kind has.
func unusable(t *testing.T, name string, w *response, code string) {
	t.Helper()
	tooLong := w.Code == http.StatusUnprocessableEntity && codeOf(w) == "invalid"
	if !tooLong && (w.Code != http.StatusUnauthorized || codeOf(w) != code) {
		t.Errorf("%s: %d %s", name, w.Code, w.Body)
	}
}

// TestATokenEndsWithTime: the access token with its ten minutes, the session
// with its life, the invitation with its week.
func TestATokenEndsWithTime(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	ttl := h.Config.Security.AccessTokenTTL
	h.clock.Advance(ttl - time.Second)
	if w := n.as().get(t, "/v1/me"); w.Code != http.StatusOK {
		t.Errorf("a second before the end: %d", w.Code)
	}
	h.clock.Advance(time.Minute)
	refused(t, n.as().get(t, "/v1/me"), http.StatusUnauthorized, "unauthenticated")
	n.owner.hold(t, n, n.refresh(t, n.owner.refresh))
	invitation := n.invitation(t)

	h.clock.Advance(h.Config.Security.RefreshTTL)
	refused(t, n.refresh(t, n.owner.refresh), http.StatusUnauthorized, "users.refresh_token")
	refused(t, n.join(t, invitation, "correct horse battery"), http.StatusUnauthorized, "users.invitation")
	n.owner.signIn(t, n)
}

// TestATokenEndsWithItsSession: whatever ends a session or its user holds at
// the next request, on this node and on another.
func TestATokenEndsWithItsSession(t *testing.T) {
	t.Parallel()
	h, second := newHouse(t), newHouse(t)
	n := h.tenant(t)
	for name, end := range map[string]func(p person){
		"logout": func(p person) { mustDo(t, n.who(p).post(t, "/v1/auth/logout", "")) },
		"ending the session": func(p person) {
			m := h.moldOf(t, p.token)
			mustDo(t, n.who(p).call(t, "DELETE", "/v1/me/sessions/"+m.claims["sid"].(string), ""))
		},
		"another password, elsewhere": func(p person) {
			elsewhere := p
			elsewhere.signIn(t, n)
			mustDo(t, n.rekey(t, elsewhere, "quite another password"))
		},
		"suspension": func(p person) { mustDo(t, n.as().post(t, userPath(p)+"/suspend", "")) },
		"suspension, though resumed": func(p person) {
			mustDo(t, n.as().post(t, userPath(p)+"/suspend", ""))
			mustDo(t, n.as().post(t, userPath(p)+"/resume", ""))
		},
		"removal": func(p person) { mustDo(t, n.as().with("If-Match", "*").call(t, "DELETE", userPath(p), "")) },
	} {
		p := n.user(t, "member")
		for _, node := range []*house{h, second} {
			mustDo(t, node.bearer(p.token).get(t, "/v1/me"))
		}
		end(p)
		for _, node := range []*house{h, second} {
			if w := node.bearer(p.token).get(t, "/v1/users"); w.Code != http.StatusUnauthorized {
				t.Errorf("after %s: %d", name, w.Code)
			}
		}
		if w := n.refresh(t, p.refresh); w.Code != http.StatusUnauthorized {
			t.Errorf("refresh after %s: %d", name, w.Code)
		}
	}
}

// TestRolesHoldAtTheNextRequest: taking a role takes what it allowed, though
// the token stays good, on this node and on another.
func TestRolesHoldAtTheNextRequest(t *testing.T) {
	t.Parallel()
	h, second := newHouse(t), newHouse(t)
	n := h.tenant(t)
	p := n.user(t)
	for _, step := range []struct {
		roles  string
		status int
	}{{`["auditor"]`, http.StatusOK}, {`[]`, http.StatusForbidden}, {`["member","admin"]`, http.StatusOK}, {`["member"]`, http.StatusForbidden}} {
		mustDo(t, n.as().with("If-Match", "*").call(t, "PUT", userPath(p)+"/roles", `{"roles":`+step.roles+`}`))
		for _, node := range []*house{h, second} {
			if w := node.bearer(p.token).get(t, "/v1/audit/events"); w.Code != step.status {
				t.Errorf("with %s: %d, want %d", step.roles, w.Code, step.status)
			}
		}
	}
}

// TestASuspendedTenantIsNotServed: its users' tokens, sign-in and refresh all
// get one answer, on every node at the next request, and work again later.
func TestASuspendedTenantIsNotServed(t *testing.T) {
	t.Parallel()
	h, second := newHouse(t), newHouse(t)
	n, operator := h.tenant(t), h.operator(t)
	path := "/v1/tenants/" + n.id.String()
	away := *n
	away.h = second
	mustDo(t, away.as().get(t, "/v1/me"))
	mustDo(t, away.login(t, n.owner.email, n.owner.password))

	mustDo(t, operator.as().post(t, path+"/suspend", ""))
	var turnedAway []*response // with a token, so who it was is known; each the first of its kind on its node
	for _, here := range []*tenant{n, &away} {
		me, file := here.as().get(t, "/v1/me"), here.as().post(t, "/v1/files", `{"name":"a","size":1}`)
		turnedAway = append(turnedAway, me, file)
		for _, w := range []*response{
			me, here.as().get(t, "/v1/users"), file,
			here.login(t, n.owner.email, n.owner.password), here.refresh(t, n.owner.refresh),
			here.join(t, "made up", "correct horse battery"),
		} {
			refused(t, w, http.StatusForbidden, "tenant_suspended")
		}
	}
	mustDo(t, operator.as().post(t, path+"/resume", ""))
	for _, here := range []*tenant{n, &away} {
		mustDo(t, here.as().get(t, "/v1/me"))
	}
	mustDo(t, n.refresh(t, n.owner.refresh))
	for _, w := range turnedAway {
		found := n.records(t, w)
		if len(found) != 1 || found[0].Outcome != "denied" || found[0].Code != "tenant_suspended" || found[0].Actor.ID == nil || *found[0].Actor.ID != n.owner.id {
			t.Errorf("the refusal is recorded as %+v", found)
		}
	}
}

// TestRefreshTokensRotate: a token works once; when it comes back after the
// grace somebody has stolen it, and the session ends.
func TestRefreshTokensRotate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	p := n.user(t)
	first := p.refresh
	next := decode[usersapi.Tokens](t, n.refresh(t, first), http.StatusOK)
	same := decode[usersapi.Tokens](t, n.refresh(t, first), http.StatusOK)
	if next.RefreshToken == first || same.RefreshToken != next.RefreshToken {
		t.Error("within the grace a token yields one successor, which is another than itself")
	}
	h.clock.Advance(h.Config.Security.RefreshGrace + time.Second)
	refused(t, n.refresh(t, first), http.StatusUnauthorized, "users.refresh_reused")
	refused(t, n.refresh(t, next.RefreshToken), http.StatusUnauthorized, "users.refresh_token")
	refused(t, h.bearer(next.AccessToken).get(t, "/v1/me"), http.StatusUnauthorized, "unauthenticated")
}

// TestAnswersWithTokensAreNotKept: no cache may keep them.
func TestAnswersWithTokensAreNotKept(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	for name, w := range map[string]*response{
		"login": n.login(t, n.owner.email, n.owner.password), "refresh": n.refresh(t, n.owner.refresh),
		"invitation": n.join(t, n.invitation(t), "correct horse battery"), "refused login": n.login(t, n.owner.email, "wrong"),
	} {
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
}

// mustDo checks that a step which the test stands on has worked.
func mustDo(t check, w *response) {
	t.Helper()
	if w.Code >= 300 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

// TestAnotherInstallation: a token of an installation with another public URL
// or another key is worth nothing here.
func TestAnotherInstallation(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	elsewhere := newHouse(t, func(c *config.Config) { c.HTTP.PublicURL = "https://other.insula.test" })
	refused(t, elsewhere.bearer(n.owner.token).get(t, "/v1/me"), http.StatusUnauthorized, "unauthenticated")
}
