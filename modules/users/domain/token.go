package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/secret"
)

// tokenBytes of randomness are in a token of a tenant.
const tokenBytes = 32

// NewToken draws an opaque token: 256 bits, base64url.
func NewToken(random io.Reader) (secret.Value, error) { return secret.NewToken(random) }

// newTenantToken draws an opaque token that says in which tenant to look it up:
//
//	<prefix><base64url of the tenant's id and 32 random bytes>
func newTenantToken(prefix string, tenant uuid.UUID, random io.Reader) (secret.Value, error) {
	raw := make([]byte, tokenBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return secret.Value{}, fmt.Errorf("draw token: %w", err)
	}
	return secret.New(prefix + secret.EncodeText(append(tenant[:], raw...))), nil
}

// tokenTenant is the tenant that such a token names; false for any other text.
// Whether the token is genuine, only the tenant's own table can tell.
func tokenTenant(prefix, text string) (uuid.UUID, bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	raw, err := secret.DecodeText(rest)
	if !ok || err != nil || len(raw) != len(uuid.UUID{})+tokenBytes {
		return uuid.Nil, false
	}
	return uuid.UUID(raw[:len(uuid.UUID{})]), true
}

// Digest is what is stored of an opaque token.
type Digest = secret.Digest

// DigestOf hashes a token.
func DigestOf(token secret.Value) Digest { return secret.DigestOf(token) }

// Successor is the refresh token that follows another in a session. It
// follows from the old one and a key, so parallel refreshes agree on it
// although only its digest is stored.
func Successor(key []byte, session uuid.UUID, token secret.Value) secret.Value {
	mac := hmac.New(sha256.New, key)
	mac.Write(session[:])
	mac.Write([]byte(token.Reveal()))
	return secret.New(secret.EncodeText(mac.Sum(nil)))
}

// Purpose is what a one-time token is good for.
type Purpose string

// The purposes.
const (
	ForInvitation Purpose = "invitation" // to choose a first password
	ForReset      Purpose = "reset"      // to replace a forgotten one
	ForEmail      Purpose = "email"      // to confirm a new e-mail address
)

// OneTimeToken is what is stored of a token that works once.
type OneTimeToken struct {
	Digest    Digest
	UserID    uuid.UUID
	Purpose   Purpose
	Address   Email // where it was sent
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Expired reports whether the token came too late.
func (t OneTimeToken) Expired(now time.Time) bool { return !now.Before(t.ExpiresAt) }
