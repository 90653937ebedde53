package service

import (
	"io"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/secret"
)

// sealLabel separates the key that seals the tokens of shares.
const sealLabel = "insula/files/shares/v1"

// Tokens draws the tokens of shares, and seals them for a request that comes
// again: nothing else can read one back.
type Tokens struct {
	key    secret.Key
	random io.Reader
}

// NewTokens takes the root key.
func NewTokens(root secret.Key, random io.Reader) *Tokens {
	return &Tokens{key: root.DeriveKey(sealLabel), random: random}
}

// draw makes the token of a share.
func (t *Tokens) draw(share uuid.UUID) (token secret.Value, sealed []byte, err error) {
	if token, err = secret.NewToken(t.random); err != nil {
		return token, nil, err
	}
	sealed, err = t.key.Seal(t.random, []byte(token.Reveal()), share[:])
	return token, sealed, err
}

// open reads back what draw has sealed.
func (t *Tokens) open(share uuid.UUID, sealed []byte) (secret.Value, error) {
	text, err := t.key.Open(sealed, share[:])
	return secret.New(string(text)), err
}
