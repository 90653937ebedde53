package jwtx

import (
	"crypto/ed25519"
	"fmt"
	"sync/atomic"
	"time"
)

// KeySet holds the one key that signs and all that verify. Rotation is a sequence of Replace: first the
// next key joins those that verify, so that every node and every client that reads the JWKS knows it; then
// it signs, and the old one stays until the last of its tokens has expired. Safe for concurrent use.
type KeySet struct {
	state atomic.Pointer[keys]
}

type keys struct {
	active  SigningKey
	ordered []PublicKey // the active one first, as published
	byID    map[string]PublicKey
}

// NewKeySet returns a set that signs with active and verifies with it and the others.
func NewKeySet(active SigningKey, others ...PublicKey) (*KeySet, error) {
	s := &KeySet{}
	if err := s.Replace(active, others...); err != nil {
		return nil, err
	}
	return s, nil
}

// Replace exchanges all keys in one step. The active key may also stand among the others, as it does when
// both come from one table. On an error the set stays as it was.
func (s *KeySet) Replace(active SigningKey, others ...PublicKey) error {
	if active.private.IsZero() {
		return fmt.Errorf("%w: none to sign with", ErrKey)
	}
	next := &keys{active: active, byID: map[string]PublicKey{}}
	for _, k := range append([]PublicKey{active.Public(time.Time{})}, others...) {
		if len(k.Key) != ed25519.PublicKeySize || k.ID != thumbprint(k.Key) {
			return fmt.Errorf("%w: id %q is not that of its key", ErrKey, k.ID)
		}
		if _, twice := next.byID[k.ID]; twice {
			continue
		}
		next.ordered = append(next.ordered, k)
		next.byID[k.ID] = k
	}
	s.state.Store(next)
	return nil
}

// Active returns the key that signs.
func (s *KeySet) Active() SigningKey { return s.state.Load().active }

// Find returns the public key of this id if it may still verify.
func (s *KeySet) Find(id string, now time.Time) (ed25519.PublicKey, bool) {
	k, ok := s.state.Load().byID[id]
	return k.Key, ok && k.usable(now)
}

// JWKS is a JSON Web Key Set (RFC 7517) of Ed25519 keys (RFC 8037).
type JWKS struct {
	Keys []JWK `json:"keys"`
}

// JWK is one public key.
type JWK struct {
	KeyType   string `json:"kty"`
	Curve     string `json:"crv"`
	Algorithm string `json:"alg"`
	Use       string `json:"use"`
	ID        string `json:"kid"`
	X         string `json:"x"`
}

// JWKS returns the document of all keys that verify at this time.
func (s *KeySet) JWKS(now time.Time) JWKS {
	doc := JWKS{Keys: []JWK{}}
	for _, k := range s.state.Load().ordered {
		if k.usable(now) {
			doc.Keys = append(doc.Keys, JWK{KeyType: "OKP", Curve: "Ed25519", Algorithm: algorithm, Use: "sig", ID: k.ID, X: encodeSegment(k.Key)})
		}
	}
	return doc
}
