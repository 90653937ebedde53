package jwtx_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/secret"
)

const (
	issuer   = "https://insula.example.com"
	audience = "insula-api"
	leeway   = 5 * time.Second
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a signer and a verifier that trust each other, on a clock of their own.
type world struct {
	clock    *clock.Manual
	key      jwtx.SigningKey
	keys     *jwtx.KeySet
	signer   *jwtx.Signer
	verifier *jwtx.Verifier
	lookups  []bool
}

// newWorld works without a cache unless cacheSize says otherwise, so that every call checks everything.
func newWorld(t testing.TB, cacheSize int) *world {
	t.Helper()
	w := &world{clock: clock.At(noon), key: newKey(t, 1)}
	var err error
	if w.keys, err = jwtx.NewKeySet(w.key); err != nil {
		t.Fatal(err)
	}
	w.signer = jwtx.NewSigner(w.keys, issuer, audience)
	w.verifier, err = jwtx.NewVerifier(w.keys, jwtx.Options{
		Issuer: issuer, Audience: audience, Leeway: leeway, Clock: w.clock, CacheSize: cacheSize,
		OnLookup: func(hit bool) { w.lookups = append(w.lookups, hit) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func newKey(t testing.TB, seed byte) jwtx.SigningKey {
	t.Helper()
	k, err := jwtx.GenerateKey(rand.NewChaCha8([32]byte{seed}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func someClaims(now time.Time) jwtx.Claims {
	ids := id.NewSequence(1)
	return jwtx.Claims{
		TenantID: ids.New(), Subject: ids.New(), SessionID: ids.New(), ID: ids.New(),
		IssuedAt: now, NotBefore: now, Expires: now.Add(10 * time.Minute),
	}
}

func sign(t testing.TB, s *jwtx.Signer, c jwtx.Claims) string {
	t.Helper()
	token, err := s.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestVerifyReturnsWhatWasSigned(t *testing.T) {
	w := newWorld(t, -1)
	want := someClaims(noon)
	got, err := w.verifier.Verify(sign(t, w.signer, want))
	if err != nil {
		t.Fatal(err)
	}
	want.Issuer, want.Audience = issuer, audience
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestTokenHasTheProfileOfRFC9068(t *testing.T) {
	w := newWorld(t, -1)
	parts := strings.Split(sign(t, w.signer, someClaims(noon)), ".")
	header, body := decode(t, parts[0]), decode(t, parts[1])
	if want := map[string]any{"alg": "EdDSA", "typ": "at+jwt", "kid": w.key.ID()}; fmt.Sprint(header) != fmt.Sprint(want) {
		t.Errorf("header = %v", header)
	}
	for _, name := range []string{"iss", "aud", "sub", "tid", "sid", "jti", "iat", "nbf", "exp"} {
		if body[name] == nil {
			t.Errorf("claim %s is missing in %v", name, body)
		}
	}
	if len(body) != 9 || body["exp"] != float64(noon.Add(10*time.Minute).Unix()) {
		t.Errorf("claims = %v", body)
	}
}

func decode(t *testing.T, segment string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLifeOfATokenToTheSecond(t *testing.T) {
	for name, cacheSize := range map[string]int{"each time": -1, "remembered": 10} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, cacheSize)
			c := someClaims(noon)
			token := sign(t, w.signer, c)
			steps := []struct {
				at   time.Time
				want error
			}{
				{noon.Add(-leeway), nil},
				{noon.Add(-leeway - time.Second), jwtx.ErrInvalid},
				{noon, nil},
				{c.Expires.Add(leeway - time.Second), nil},
				{c.Expires.Add(leeway), jwtx.ErrExpired},
				{noon, nil},
			}
			for _, step := range steps {
				w.clock.Set(step.at)
				if _, err := w.verifier.Verify(token); !errors.Is(err, step.want) {
					t.Errorf("at %v: error = %v, want %v", step.at, err, step.want)
				}
			}
		})
	}
}

func TestSignRefusesIncompleteClaims(t *testing.T) {
	w := newWorld(t, -1)
	for name, spoil := range map[string]func(*jwtx.Claims){
		"tenant":      func(c *jwtx.Claims) { c.TenantID = uuid.Nil },
		"subject":     func(c *jwtx.Claims) { c.Subject = uuid.Nil },
		"session":     func(c *jwtx.Claims) { c.SessionID = uuid.Nil },
		"id":          func(c *jwtx.Claims) { c.ID = uuid.Nil },
		"issued at":   func(c *jwtx.Claims) { c.IssuedAt = time.Time{} },
		"not before":  func(c *jwtx.Claims) { c.NotBefore = time.Time{} },
		"expires":     func(c *jwtx.Claims) { c.Expires = time.Time{} },
		"no lifetime": func(c *jwtx.Claims) { c.Expires = c.NotBefore },
	} {
		c := someClaims(noon)
		spoil(&c)
		if token, err := w.signer.Sign(c); !errors.Is(err, jwtx.ErrClaims) || token != "" {
			t.Errorf("%s: token %q, error %v", name, token, err)
		}
	}
}

func TestRotationOverlaps(t *testing.T) {
	w := newWorld(t, 10)
	old, next := w.key, newKey(t, 2)
	before := sign(t, w.signer, someClaims(noon))
	if _, err := w.verifier.Verify(before); err != nil {
		t.Fatal(err)
	}

	// The next key is published before it signs.
	replace(t, w.keys, old, next.Public(time.Time{}))
	if kids(w.keys.JWKS(noon)) != old.ID()+" "+next.ID() || w.keys.Active().ID() != old.ID() {
		t.Errorf("published %s, active %s", kids(w.keys.JWKS(noon)), w.keys.Active())
	}

	// It signs, and the old one verifies for a while.
	retired := noon.Add(time.Minute)
	replace(t, w.keys, next, old.Public(retired))
	after := sign(t, w.signer, someClaims(noon))
	for _, token := range []string{before, after} {
		if _, err := w.verifier.Verify(token); err != nil {
			t.Errorf("during the overlap: %v", err)
		}
	}
	w.clock.Set(retired)
	if _, err := w.verifier.Verify(before); !errors.Is(err, jwtx.ErrInvalid) {
		t.Errorf("the old key still verifies, remembered: %v", err)
	}
	if _, err := w.verifier.Verify(after); err != nil {
		t.Error(err)
	}
	if kids(w.keys.JWKS(retired)) != next.ID() {
		t.Errorf("published %s", kids(w.keys.JWKS(retired)))
	}

	// A key that is withdrawn takes its remembered tokens with it at once.
	replace(t, w.keys, old)
	if _, err := w.verifier.Verify(after); !errors.Is(err, jwtx.ErrInvalid) {
		t.Errorf("a withdrawn key still verifies: %v", err)
	}
}

func replace(t *testing.T, keys *jwtx.KeySet, active jwtx.SigningKey, others ...jwtx.PublicKey) {
	t.Helper()
	if err := keys.Replace(active, others...); err != nil {
		t.Fatal(err)
	}
}

func kids(doc jwtx.JWKS) string {
	var all []string
	for _, k := range doc.Keys {
		all = append(all, k.ID)
	}
	return strings.Join(all, " ")
}

func TestKeySetRefusesBadKeysAndStaysAsItWas(t *testing.T) {
	w := newWorld(t, -1)
	other := newKey(t, 2).Public(time.Time{})
	for name, bad := range map[string]func() error{
		"no active key":   func() error { return w.keys.Replace(jwtx.SigningKey{}) },
		"another's id":    func() error { return w.keys.Replace(newKey(t, 3), jwtx.PublicKey{ID: w.key.ID(), Key: other.Key}) },
		"short key":       func() error { return w.keys.Replace(newKey(t, 3), jwtx.PublicKey{ID: other.ID, Key: other.Key[:31]}) },
		"new without key": func() error { _, err := jwtx.NewKeySet(jwtx.SigningKey{}); return err },
	} {
		if err := bad(); !errors.Is(err, jwtx.ErrKey) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
	if w.keys.Active().ID() != w.key.ID() {
		t.Error("a refused replacement took effect")
	}
	replace(t, w.keys, w.key, w.key.Public(noon)) // listed twice: the active key has no end
	if kids(w.keys.JWKS(noon.Add(time.Hour))) != w.key.ID() {
		t.Error("the active key is not published once")
	}
}

// The key, its id and its public half are the example of RFC 8037, appendix A.
func TestJWKSAndThumbprintOfRFC8037(t *testing.T) {
	seed, err := base64.RawURLEncoding.DecodeString("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
	if err != nil {
		t.Fatal(err)
	}
	key, err := jwtx.GenerateKey(strings.NewReader(string(seed)))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwtx.NewKeySet(key)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(keys.JWKS(noon))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",` +
		`"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	if string(doc) != want {
		t.Errorf("got  %s\nwant %s", doc, want)
	}
}

func TestSealedKeyOpensOnlyWithItsRootAndID(t *testing.T) {
	root, other := rootKey(t, 1), rootKey(t, 2)
	key := newKey(t, 1)
	sealed, err := key.Seal(root, rand.NewChaCha8([32]byte{9}))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := jwtx.OpenKey(root, key.ID(), sealed)
	if err != nil || opened.ID() != key.ID() || !opened.Public(noon).Key.Equal(key.Public(noon).Key) {
		t.Fatalf("opened %v, %v", opened, err)
	}
	if _, err := jwtx.OpenKey(other, key.ID(), sealed); !errors.Is(err, jwtx.ErrKey) {
		t.Errorf("other root: %v", err)
	}
	if _, err := jwtx.OpenKey(root, newKey(t, 2).ID(), sealed); !errors.Is(err, jwtx.ErrKey) {
		t.Errorf("other id: %v", err)
	}
	junk, err := root.Seal(rand.NewChaCha8([32]byte{9}), []byte("junk"), []byte("insula/signing-key/"+key.ID()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwtx.OpenKey(root, key.ID(), junk); !errors.Is(err, jwtx.ErrKey) {
		t.Errorf("junk: %v", err)
	}
	if _, err := (jwtx.SigningKey{}).Seal(root, rand.NewChaCha8([32]byte{9})); !errors.Is(err, jwtx.ErrKey) {
		t.Errorf("empty key: %v", err)
	}
	if _, err := jwtx.GenerateKey(strings.NewReader("short")); err == nil {
		t.Error("a key was made of too little randomness")
	}
}

func rootKey(t *testing.T, seed byte) secret.Key {
	t.Helper()
	k, err := secret.NewKey(rand.NewChaCha8([32]byte{seed}))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSigningKeyDoesNotPrint(t *testing.T) {
	key := newKey(t, 1)
	plain := fmt.Sprintf("%v %+v %s %#v %x %v", key, &key, key, key, key, struct{ k jwtx.SigningKey }{key})
	seed := make([]byte, 32)
	if _, err := rand.NewChaCha8([32]byte{1}).Read(seed); err != nil {
		t.Fatal(err)
	}
	for _, leak := range []string{string(seed), fmt.Sprintf("%x", seed), fmt.Sprintf("%d", seed)[1:30]} {
		if strings.Contains(plain, leak) {
			t.Errorf("the key is printed: %s", plain)
		}
	}
}

func TestCacheIsBoundedAndCounted(t *testing.T) {
	w := newWorld(t, 2)
	var tokens []string
	for range 3 {
		c := someClaims(noon)
		c.ID = uuid.New()
		tokens = append(tokens, sign(t, w.signer, c))
	}
	for _, i := range []int{0, 0, 1, 2, 0} { // the third token pushes the first out
		if _, err := w.verifier.Verify(tokens[i]); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(w.lookups); got != "[false true false false false]" {
		t.Errorf("hits = %s", got)
	}
	for range 2 {
		if _, err := w.verifier.Verify(tokens[0] + "x"); !errors.Is(err, jwtx.ErrInvalid) {
			t.Errorf("error = %v", err)
		}
	}
	if w.lookups[len(w.lookups)-1] {
		t.Error("a refused token is remembered")
	}
}

func TestVerifierNeedsItsExpectations(t *testing.T) {
	keys := newWorld(t, -1).keys
	good := jwtx.Options{Issuer: issuer, Audience: audience, Clock: clock.System{}}
	if _, err := jwtx.NewVerifier(keys, good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*jwtx.Options){
		"issuer":   func(o *jwtx.Options) { o.Issuer = "" },
		"audience": func(o *jwtx.Options) { o.Audience = "" },
		"clock":    func(o *jwtx.Options) { o.Clock = nil },
		"leeway":   func(o *jwtx.Options) { o.Leeway = -1 },
	} {
		o := good
		spoil(&o)
		if _, err := jwtx.NewVerifier(keys, o); err == nil {
			t.Errorf("a verifier without %s was made", name)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for name, cacheSize := range map[string]int{"signature": -1, "remembered": 10} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, cacheSize)
			v, err := jwtx.NewVerifier(w.keys, jwtx.Options{Issuer: issuer, Audience: audience, Clock: w.clock, CacheSize: cacheSize})
			if err != nil {
				b.Fatal(err)
			}
			token := sign(b, w.signer, someClaims(noon))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
