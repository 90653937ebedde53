package jwtx

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/insulahq/insula/platform/clock"
)

// maxTokenBytes bounds what is decoded at all; our own tokens are about 600 bytes long.
const maxTokenBytes = 4096

// DefaultCacheSize is the number of tokens a Verifier remembers unless told otherwise, about 3 MB.
const DefaultCacheSize = 10_000

var (
	// ErrInvalid says that a text is no access token of ours. The reason in its message is for logs.
	ErrInvalid = errors.New("invalid access token")
	// ErrExpired is the ErrInvalid of a genuine token whose time is over.
	ErrExpired = fmt.Errorf("%w: expired", ErrInvalid)
)

// Options says what a Verifier expects.
type Options struct {
	Issuer   string
	Audience string
	Leeway   time.Duration // tolerated difference between clocks, at both ends of a token's life
	Clock    clock.Clock
	// CacheSize bounds how many verified tokens are remembered; 0 means DefaultCacheSize, negative none.
	CacheSize int
	// OnLookup, when set, is told of each look-up among the remembered tokens.
	OnLookup func(hit bool)
	// OnUnknownKey, when set, is called for a token whose key is not in the set, before it is looked for once
	// more: keys may have been rotated elsewhere. It is called for forged tokens too, so it must bound its work.
	OnUnknownKey func()
}

// Verifier checks access tokens. It remembers those it has verified until they expire, because a signature
// check costs about as much as the query it guards; times and key are checked on every call, so a token
// stops working when its time or its key ends, remembered or not. Safe for concurrent use.
type Verifier struct {
	keys    *KeySet
	options Options
	parser  *jwt.Parser
	cache   *lru.Cache[digest, verified] // nil: nothing is remembered
}

// digest stands for a token in the cache, so that a dump of the memory holds none.
type digest [sha256.Size]byte

type verified struct {
	claims Claims
	keyID  string
}

// NewVerifier returns a verifier for tokens signed with the keys of a set.
func NewVerifier(keys *KeySet, o Options) (*Verifier, error) {
	if o.Issuer == "" || o.Audience == "" || o.Clock == nil || o.Leeway < 0 {
		return nil, errors.New("verifier needs issuer, audience, clock and a leeway of 0 or more")
	}
	v := &Verifier{keys: keys, options: o, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{algorithm}),
		jwt.WithStrictDecoding(),
		jwt.WithIssuer(o.Issuer),
		jwt.WithAudience(o.Audience),
		jwt.WithExpirationRequired(),
		jwt.WithNotBeforeRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(o.Leeway),
		jwt.WithTimeFunc(o.Clock.Now),
	)}
	if o.CacheSize < 0 {
		return v, nil
	}
	if o.CacheSize == 0 {
		o.CacheSize = DefaultCacheSize
	}
	cache, err := lru.New[digest, verified](o.CacheSize)
	if err != nil {
		return nil, fmt.Errorf("make token cache: %w", err)
	}
	v.cache = cache
	return v, nil
}

// Verify returns what a genuine, valid token says; every other text gives an ErrInvalid.
func (v *Verifier) Verify(token string) (Claims, error) {
	if len(token) > maxTokenBytes {
		return Claims{}, fmt.Errorf("%w: longer than %d bytes", ErrInvalid, maxTokenBytes)
	}
	if strings.ContainsAny(token, "\r\n") { // base64 decoding would skip them, so one token had many spellings
		return Claims{}, fmt.Errorf("%w: a line break", ErrInvalid)
	}
	if v.cache == nil {
		known, err := v.parse(token)
		return known.claims, err
	}
	key := digest(sha256.Sum256([]byte(token)))
	known, hit := v.cache.Get(key)
	if v.options.OnLookup != nil {
		v.options.OnLookup(hit)
	}
	if hit {
		err := v.recheck(known)
		if err != nil {
			v.cache.Remove(key)
			return Claims{}, err
		}
		return known.claims, nil
	}
	known, err := v.parse(token)
	if err != nil {
		return Claims{}, err
	}
	v.cache.Add(key, known)
	return known.claims, nil
}

// recheck looks at what can change about a token after its signature was verified.
func (v *Verifier) recheck(known verified) error {
	now := v.options.Clock.Now()
	if !now.Before(known.claims.Expires.Add(v.options.Leeway)) {
		return ErrExpired
	}
	if now.Before(known.claims.NotBefore.Add(-v.options.Leeway)) {
		return fmt.Errorf("%w: not valid yet", ErrInvalid) // the clock was set back
	}
	if _, ok := v.keys.Find(known.keyID, now); !ok {
		return fmt.Errorf("%w: its key is gone", ErrInvalid)
	}
	return nil
}

func (v *Verifier) parse(text string) (verified, error) {
	var wire wireClaims
	token, err := v.parser.ParseWithClaims(text, &wire, v.key)
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		return verified{}, ErrExpired
	case err != nil:
		return verified{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	case len(wire.Audience) != 1 || wire.IssuedAt == nil:
		return verified{}, fmt.Errorf("%w: not the claims of an access token", ErrInvalid)
	}
	claims := wire.claims()
	if !claims.complete() {
		return verified{}, fmt.Errorf("%w: an identifier is missing", ErrInvalid)
	}
	keyID, _ := token.Header["kid"].(string) // key has checked that it is one
	return verified{claims: claims, keyID: keyID}, nil
}

// key finds the key of a token by the only header we allow: exactly alg, kid and typ.
func (v *Verifier) key(token *jwt.Token) (any, error) {
	kid, ok := token.Header["kid"].(string)
	if !ok || token.Header["typ"] != tokenType || len(token.Header) != 3 {
		return nil, errors.New("not the header of an access token")
	}
	public, ok := v.keys.Find(kid, v.options.Clock.Now())
	if !ok && v.options.OnUnknownKey != nil {
		v.options.OnUnknownKey()
		public, ok = v.keys.Find(kid, v.options.Clock.Now())
	}
	if !ok {
		return nil, errors.New("unknown key")
	}
	return public, nil
}
