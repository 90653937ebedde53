// Package notary signs short texts with Ed25519 keys that are derived, in the
// form of signed notes: a text, and below it who signed it. Anybody with the
// verifier key can check one, offline.
package notary

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// algEd25519 is how package note marks a key.
const algEd25519 = 1

// Key signs notes under one name.
type Key struct {
	signer note.Signer
	public string
}

// NewKey makes a key from a secret seed of ed25519.SeedSize bytes.
func NewKey(name string, seed []byte) (*Key, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, errors.New("a seed of another length")
	}
	public, ok := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	if !ok {
		return nil, errors.New("no public half")
	}
	verifier, err := note.NewEd25519VerifierKey(name, public)
	if err != nil {
		return nil, err
	}
	hash := strings.Split(verifier, "+")[1]
	private := base64.StdEncoding.EncodeToString(append([]byte{algEd25519}, seed...))
	signer, err := note.NewSigner("PRIVATE+KEY+" + name + "+" + hash + "+" + private)
	if err != nil {
		return nil, err
	}
	return &Key{signer: signer, public: verifier}, nil
}

// Public is the verifier key, in the form of package note:
// name+hash+base64(key).
func (k *Key) Public() string { return k.public }

// Sign returns the signed note of a text, which must end with a newline.
func (k *Key) Sign(text string) (string, error) {
	signed, err := note.Sign(&note.Note{Text: text}, k.signer)
	return string(signed), err
}

// Open returns the text of a signed note. It fails for one that none of the
// verifier keys signed.
func Open(signed string, keys ...string) (string, error) {
	verifiers := make([]note.Verifier, len(keys))
	for i, key := range keys {
		var err error
		if verifiers[i], err = note.NewVerifier(key); err != nil {
			return "", fmt.Errorf("verifier key: %w", err)
		}
	}
	opened, err := note.Open([]byte(signed), note.VerifierList(verifiers...))
	if err != nil {
		return "", err
	}
	return opened.Text, nil
}
