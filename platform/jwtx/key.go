package jwtx

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/insulahq/insula/platform/secret"
)

// ErrKey says that a signing key is empty or could not be read back.
var ErrKey = errors.New("unusable signing key")

// SigningKey is a private key. It prints as its id.
type SigningKey struct {
	id      string
	private secret.Value // the raw bytes of an ed25519.PrivateKey
}

// GenerateKey draws a new key from random. Its id is the thumbprint of its public half (RFC 7638), so no
// two keys share one.
func GenerateKey(random io.Reader) (SigningKey, error) {
	// Not ed25519.GenerateKey: it does not promise to draw from the reader it is given.
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return SigningKey{}, fmt.Errorf("draw signing key: %w", err)
	}
	return newSigningKey(ed25519.NewKeyFromSeed(seed)), nil
}

func newSigningKey(private ed25519.PrivateKey) SigningKey {
	return SigningKey{id: thumbprint(publicHalf(private)), private: secret.New(string(private))}
}

// publicHalf is the second half of a private key's bytes.
func publicHalf(private ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(private[ed25519.PrivateKeySize-ed25519.PublicKeySize:])
}

// thumbprint hashes the required members of the key's JWK in the order RFC 7638 prescribes.
func thumbprint(public ed25519.PublicKey) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + encodeSegment(public) + `"}`))
	return encodeSegment(sum[:])
}

func encodeSegment(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// ID returns the key's id, the kid of tokens and JWKS entries.
func (k SigningKey) ID() string { return k.id }

// Public returns the half that verifies, good until notAfter; the zero time means without end.
func (k SigningKey) Public(notAfter time.Time) PublicKey {
	return PublicKey{ID: k.id, Key: publicHalf(ed25519.PrivateKey(k.private.Reveal())), NotAfter: notAfter}
}

// Seal encrypts the key (as PKCS #8) for storage, bound to its id.
func (k SigningKey) Seal(root secret.Key, random io.Reader) ([]byte, error) {
	if k.private.IsZero() {
		return nil, ErrKey
	}
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.PrivateKey(k.private.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("marshal signing key: %w", err)
	}
	return root.Seal(random, der, sealBinding(k.id))
}

// OpenKey reads back the key of this id that Seal encrypted under the same root.
func OpenKey(root secret.Key, id string, sealed []byte) (SigningKey, error) {
	der, err := root.Open(sealed, sealBinding(id))
	if err != nil {
		return SigningKey{}, fmt.Errorf("%w %s: %w", ErrKey, id, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	private, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return SigningKey{}, fmt.Errorf("%w %s: not an Ed25519 key", ErrKey, id)
	}
	return newSigningKey(private), nil
}

func sealBinding(id string) []byte { return []byte("insula/signing-key/" + id) }

// String returns the key's id.
func (k SigningKey) String() string { return "signing key " + k.id }

// LogValue gives the key's id to log/slog.
func (k SigningKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// PublicKey verifies tokens of its id until NotAfter (zero: without end).
type PublicKey struct {
	ID       string
	Key      ed25519.PublicKey
	NotAfter time.Time
}

func (k PublicKey) usable(now time.Time) bool { return k.NotAfter.IsZero() || now.Before(k.NotAfter) }
