package jwtx

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

const (
	algorithm = "EdDSA"
	tokenType = "at+jwt" // RFC 9068; no other kind of token of ours can pass for an access token
)

// ErrClaims says that claims are incomplete or contradict themselves and cannot be signed.
var ErrClaims = errors.New("claims cannot be signed")

// Signer makes access tokens of one issuer for one audience with the active key of a set.
type Signer struct {
	keys     *KeySet
	issuer   string
	audience string
}

// NewSigner returns a signer.
func NewSigner(keys *KeySet, issuer, audience string) *Signer {
	return &Signer{keys: keys, issuer: issuer, audience: audience}
}

// Sign returns the token that says c. All identifiers and instants must be set; the signer fills in issuer
// and audience.
func (s *Signer) Sign(c Claims) (string, error) {
	if !c.complete() || c.IssuedAt.IsZero() || c.NotBefore.IsZero() || !c.Expires.After(c.NotBefore) {
		return "", ErrClaims
	}
	c.Issuer, c.Audience = s.issuer, s.audience
	key := s.keys.Active()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c.wire())
	token.Header["typ"] = tokenType
	token.Header["kid"] = key.id
	text, err := token.SignedString(ed25519.PrivateKey(key.private.Reveal()))
	if err != nil {
		return "", fmt.Errorf("sign access token: %w", err)
	}
	return text, nil
}
