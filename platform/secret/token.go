package secret

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// tokenBytes of randomness are in every token.
const tokenBytes = 32

// NewToken draws an opaque token: 256 bits, base64url.
func NewToken(random io.Reader) (Value, error) {
	raw := make([]byte, tokenBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return Value{}, fmt.Errorf("draw token: %w", err)
	}
	return New(EncodeText(raw)), nil
}

// Digest is what is stored of a token (SHA-256). A token has enough randomness
// that nothing slower is needed, and looking up its digest takes a time that
// tells nothing about the token.
type Digest [sha256.Size]byte

// DigestOf hashes a token.
func DigestOf(token Value) Digest { return sha256.Sum256([]byte(token.Reveal())) }
