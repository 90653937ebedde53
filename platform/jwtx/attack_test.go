package jwtx_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/insulahq/insula/platform/jwtx"
)

// forge signs any header and claims with any key, as an attacker or a careless service would.
func forge(t testing.TB, header, claims map[string]any, method jwt.SigningMethod, key any) string {
	t.Helper()
	text := segment(t, header) + "." + segment(t, claims)
	signature, err := method.Sign(text, key)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func segment(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// genuine is the raw material of a good token: its parts and the key it is signed with.
type genuine struct {
	header, claims map[string]any
	private        ed25519.PrivateKey
}

func newGenuine(t testing.TB, w *world) genuine {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	if _, err := rand.NewChaCha8([32]byte{1}).Read(seed); err != nil { // that of newKey(t, 1)
		t.Fatal(err)
	}
	c := someClaims(noon)
	return genuine{
		header: map[string]any{"alg": "EdDSA", "typ": "at+jwt", "kid": w.key.ID()},
		claims: map[string]any{
			"iss": issuer, "aud": audience, "sub": c.Subject, "tid": c.TenantID, "sid": c.SessionID, "jti": c.ID,
			"iat": noon.Unix(), "nbf": noon.Unix(), "exp": c.Expires.Unix(),
		},
		private: ed25519.NewKeyFromSeed(seed),
	}
}

// with returns a copy of m where the pairs are set; nil takes a key away.
func with(m map[string]any, pairs ...any) map[string]any {
	m = maps.Clone(m)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
		if pairs[i+1] == nil {
			delete(m, pairs[i].(string))
		}
	}
	return m
}

// Every attack is one change to a token that is accepted without it.
func TestAttacksOnTheHeader(t *testing.T) {
	w := newWorld(t, 100)
	g := newGenuine(t, w)
	public := g.private.Public().(ed25519.PublicKey)
	foreign := newKey(t, 2)
	_, foreignPrivate, _ := ed25519.GenerateKey(rand.NewChaCha8([32]byte{5}))
	rsaKey, err := rsa.GenerateKey(cryptorand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ownJWK := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(foreignPrivate.Public().(ed25519.PublicKey))}

	signed := func(pairs ...any) string {
		return forge(t, with(g.header, pairs...), g.claims, jwt.SigningMethodEdDSA, g.private)
	}
	mustPass(t, w, signed())

	attacks := map[string]string{
		"signed by another key under our kid": forge(t, g.header, g.claims, jwt.SigningMethodEdDSA, foreignPrivate),
		"HMAC with the public key":            forge(t, with(g.header, "alg", "HS256"), g.claims, jwt.SigningMethodHS256, []byte(public)),
		"HMAC with the encoded public key":    forge(t, with(g.header, "alg", "HS512"), g.claims, jwt.SigningMethodHS512, []byte(base64.RawURLEncoding.EncodeToString(public))),
		"HMAC that claims to be EdDSA":        forge(t, g.header, g.claims, jwt.SigningMethodHS256, []byte(public)),
		"RS256":                               forge(t, with(g.header, "alg", "RS256"), g.claims, jwt.SigningMethodRS256, rsaKey),
		"PS256":                               forge(t, with(g.header, "alg", "PS256"), g.claims, jwt.SigningMethodPS256, rsaKey),
		"ES256":                               forge(t, with(g.header, "alg", "ES256"), g.claims, jwt.SigningMethodES256, ecKey),
		"no alg":                              signed("alg", nil),
		"alg Ed25519":                         signed("alg", "Ed25519"),
		"alg in lower case":                   signed("alg", "eddsa"),
		"alg a number":                        signed("alg", 1),
		"unknown kid":                         signed("kid", foreign.ID()),
		"no kid":                              signed("kid", nil),
		"empty kid":                           signed("kid", ""),
		"kid a path":                          signed("kid", "../../dev/null"),
		"kid an object":                       signed("kid", map[string]any{"a": 1}),
		"jku":                                 signed("jku", "https://attacker.example/jwks.json"),
		"x5u":                                 signed("x5u", "https://attacker.example/cert.pem"),
		"jwk":                                 forge(t, with(g.header, "jwk", ownJWK), g.claims, jwt.SigningMethodEdDSA, foreignPrivate),
		"jwk, signed by us":                   signed("jwk", ownJWK),
		"x5c":                                 signed("x5c", []string{"MIIB"}),
		"x5t":                                 signed("x5t", "AAAA"),
		"crit":                                signed("crit", []string{"exp"}),
		"b64":                                 signed("b64", false),
		"zip":                                 signed("zip", "DEF"),
		"typ JWT":                             signed("typ", "JWT"),
		"typ in other case":                   signed("typ", "AT+JWT"),
		"typ of a media type":                 signed("typ", "application/at+jwt"),
		"typ of another token of ours":        signed("typ", "rt+jwt"),
		"no typ":                              signed("typ", nil),
		"typ replaced by another parameter":   signed("typ", nil, "cty", "at+jwt"),
	}
	for _, none := range []string{"none", "None", "NONE", "nOnE"} {
		text := segment(t, with(g.header, "alg", none)) + "." + segment(t, g.claims) + "."
		attacks["alg "+none] = text
		attacks["alg "+none+" with the genuine signature"] = text + strings.Split(signed(), ".")[2]
	}
	for name, token := range attacks {
		mustFail(t, w, name, token)
	}
}

func TestAttacksOnTheClaims(t *testing.T) {
	w := newWorld(t, 100)
	g := newGenuine(t, w)
	signed := func(pairs ...any) string {
		return forge(t, g.header, with(g.claims, pairs...), jwt.SigningMethodEdDSA, g.private)
	}
	mustPass(t, w, signed())
	mustPass(t, w, signed("aud", []string{audience}))

	nobody := "00000000-0000-0000-0000-000000000000"
	soon := noon.Add(leeway + time.Second).Unix()
	attacks := map[string]string{
		"wrong iss":            signed("iss", "https://attacker.example"),
		"iss as a prefix":      signed("iss", issuer+".attacker.example"),
		"no iss":               signed("iss", nil),
		"wrong aud":            signed("aud", "other-api"),
		"no aud":               signed("aud", nil),
		"empty aud":            signed("aud", []string{}),
		"aud of two":           signed("aud", []string{audience, "other-api"}),
		"no tid":               signed("tid", nil),
		"tid of nobody":        signed("tid", nobody),
		"tid no identifier":    signed("tid", "acme"),
		"tid null":             signed("tid", json.RawMessage("null")),
		"no sub":               signed("sub", nil),
		"sub of nobody":        signed("sub", nobody),
		"no sid":               signed("sid", nil),
		"sid of nobody":        signed("sid", nobody),
		"no jti":               signed("jti", nil),
		"no exp":               signed("exp", nil),
		"exp zero":             signed("exp", 0),
		"exp a text":           signed("exp", "2099-01-01"),
		"expired":              signed("exp", noon.Add(-leeway).Unix()),
		"no nbf":               signed("nbf", nil),
		"not valid yet":        signed("nbf", soon),
		"no iat":               signed("iat", nil),
		"issued in the future": signed("iat", soon),
		"claims a list":        segment(t, g.header) + "." + segment(t, []int{1}) + ".AAAA",
	}
	for name, token := range attacks {
		mustFail(t, w, name, token)
	}
	if _, err := w.verifier.Verify(attacks["expired"]); !errors.Is(err, jwtx.ErrExpired) {
		t.Errorf("expired: error = %v", err)
	}
}

func TestAttacksOnTheForm(t *testing.T) {
	w := newWorld(t, 100)
	g := newGenuine(t, w)
	good := forge(t, g.header, g.claims, jwt.SigningMethodEdDSA, g.private)
	mustPass(t, w, good)
	parts := strings.Split(good, ".")
	tampered := segment(t, with(g.claims, "tid", "0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d"))

	// Another S for the same signature: S plus the order of the group, little-endian.
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	order := []byte{0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 31: 0x10}
	carry := 0
	for i := range 32 {
		sum := int(signature[32+i]) + int(order[i]) + carry
		signature[32+i], carry = byte(sum), sum>>8
	}

	for name, token := range map[string]string{
		"empty":                  "",
		"dots":                   "..",
		"two parts":              parts[0] + "." + parts[1],
		"four parts":             good + "." + parts[2],
		"encrypted form":         good + ".x.y",
		"no signature":           parts[0] + "." + parts[1] + ".",
		"claims exchanged":       parts[0] + "." + tampered + "." + parts[2],
		"padding":                good + "==",
		"space before":           " " + good,
		"newline inside":         parts[0] + "." + parts[1] + "\n." + parts[2],
		"newline after":          good + "\n",
		"other last bits":        good[:len(good)-1] + string(good[len(good)-1]+1),
		"malleable signature":    parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(signature),
		"Bearer":                 "Bearer " + good,
		"huge":                   good + strings.Repeat("A", 1<<20),
		"huge claims, signed":    forge(t, g.header, with(g.claims, "x", strings.Repeat("a", 5000)), jwt.SigningMethodEdDSA, g.private),
		"deep nesting, unsigned": parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("[", 2000))) + "." + parts[2],
	} {
		mustFail(t, w, name, token)
	}
}

func mustPass(t *testing.T, w *world, token string) {
	t.Helper()
	if _, err := w.verifier.Verify(token); err != nil {
		t.Fatalf("the genuine token is refused, so this test proves nothing: %v", err)
	}
}

func mustFail(t *testing.T, w *world, name, token string) {
	t.Helper()
	for range 2 { // the second time past what may be remembered
		if c, err := w.verifier.Verify(token); !errors.Is(err, jwtx.ErrInvalid) || c != (jwtx.Claims{}) {
			t.Errorf("%s: accepted with error %v, claims %+v", name, err, c)
		}
	}
}

// FuzzVerify holds that exactly one text is accepted: the token that was signed.
func FuzzVerify(f *testing.F) {
	w := newWorld(f, 16)
	g := newGenuine(f, w)
	good := forge(f, g.header, g.claims, jwt.SigningMethodEdDSA, g.private)
	parts := strings.Split(good, ".")
	for _, seed := range []string{
		good, "", "..", good + "=", good[:len(good)-1], parts[0] + "." + parts[1] + ".", parts[0] + ".e30." + parts[2], "e30.e30.e30",
		segment(f, with(g.header, "alg", "none")) + "." + parts[1] + ".", parts[0] + "\n." + parts[1] + "." + parts[2],
		segment(f, with(g.header, "alg", "HS256")) + "." + parts[1] + "." + parts[2],
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		c, err := w.verifier.Verify(token)
		switch {
		case token == good && err != nil:
			t.Errorf("the genuine token is refused: %v", err)
		case token != good && (err == nil || c != (jwtx.Claims{})):
			t.Errorf("accepted: %q", token)
		case err != nil && !errors.Is(err, jwtx.ErrInvalid):
			t.Errorf("error = %v", err)
		}
	})
}
