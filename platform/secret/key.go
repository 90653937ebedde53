package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// KeySize is the length of a Key in bytes.
const KeySize = 32

// sealVersion is the first byte of every sealed text; it names AES-256-GCM under a key derived with
// sealLabel, so that another scheme can follow and old texts still open.
const (
	sealVersion byte = 1
	sealLabel        = "insula/seal/v1"
)

var (
	// ErrKey says that a text is not the standard base64 form of KeySize bytes.
	ErrKey = fmt.Errorf("must be %d bytes in standard base64 (make one with: openssl rand -base64 %d)", KeySize, KeySize)
	// ErrOpen says that a sealed text was made with another key or other associated data, or was changed.
	// It deliberately does not say which.
	ErrOpen = errors.New("sealed text does not open")
	// ErrNoKey says that a key was used before it was given a content.
	ErrNoKey = errors.New("secret key is empty")
)

// Key is a 32-byte root key. It is not used directly: purposes derive their own keys by label, so that
// learning one of them reveals nothing about the others. The zero Key is empty and refuses to work.
type Key struct {
	content *string // KeySize raw bytes; a pointer to an array would be followed by fmt, see Value
}

// NewKey draws a key from random.
func NewKey(random io.Reader) (Key, error) {
	raw := make([]byte, KeySize)
	if _, err := io.ReadFull(random, raw); err != nil {
		return Key{}, fmt.Errorf("draw secret key: %w", err)
	}
	return rawKey(raw), nil
}

func rawKey(raw []byte) Key {
	s := string(raw)
	return Key{content: &s}
}

// ParseKey reads a key from standard, padded base64.
func ParseKey(text string) (Key, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != KeySize {
		return Key{}, ErrKey // the decoder's message would quote the secret's position and bytes
	}
	return rawKey(raw), nil
}

// ParseKeys reads keys separated by commas. A single - stands for an empty one, which keeps its place.
func ParseKeys(text string) ([]Key, error) {
	if text == "" {
		return nil, nil
	}
	var keys []Key
	for word := range strings.SplitSeq(text, ",") {
		var k Key
		if word = strings.TrimSpace(word); word != "-" {
			var err error
			if k, err = ParseKey(word); err != nil {
				return nil, err
			}
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Encode returns the base64 form that ParseKey reads. It reveals the key.
func (k Key) Encode() Value {
	if k.content == nil {
		return Value{}
	}
	return New(base64.StdEncoding.EncodeToString([]byte(*k.content)))
}

// IsZero reports whether the key is empty.
func (k Key) IsZero() bool { return k.content == nil }

// Derive returns n bytes that depend on the key and the label alone (HKDF with SHA-256). Labels name a
// purpose and a version, as in "insula/cursor/v1". It panics on an empty key and on n above 8160, which
// are programming errors: configuration never yields an empty key.
func (k Key) Derive(label string, n int) []byte {
	if k.content == nil {
		panic(ErrNoKey)
	}
	out, err := hkdf.Key(sha256.New, []byte(*k.content), nil, label, n)
	if err != nil {
		panic(fmt.Errorf("derive %q: %w", label, err))
	}
	return out
}

// DeriveKey returns the Key for one purpose.
func (k Key) DeriveKey(label string) Key {
	return rawKey(k.Derive(label, KeySize))
}

// Seal encrypts plaintext with AES-256-GCM and binds it to aad, which Open must be given again: name there
// the row the text belongs to, and it cannot be moved to another. The nonce is drawn from random.
func (k Key) Seal(random io.Reader, plaintext, aad []byte) ([]byte, error) {
	gcm, err := k.gcm()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, gcm.NonceSize())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return nil, fmt.Errorf("draw nonce: %w", err)
	}
	sealed := append([]byte{sealVersion}, nonce...)
	return gcm.Seal(sealed, nonce, plaintext, aad), nil
}

// Open decrypts what Seal made with the same key and aad; it returns ErrOpen for everything else.
func (k Key) Open(sealed, aad []byte) ([]byte, error) {
	gcm, err := k.gcm()
	if err != nil {
		return nil, err
	}
	if len(sealed) < 1+gcm.NonceSize()+gcm.Overhead() || sealed[0] != sealVersion {
		return nil, ErrOpen
	}
	nonce, text := sealed[1:1+gcm.NonceSize()], sealed[1+gcm.NonceSize():]
	plaintext, err := gcm.Open(nil, nonce, text, aad)
	if err != nil {
		return nil, ErrOpen
	}
	return plaintext, nil
}

func (k Key) gcm() (cipher.AEAD, error) {
	if k.content == nil {
		return nil, ErrNoKey
	}
	block, err := aes.NewCipher(k.Derive(sealLabel, KeySize))
	if err != nil {
		return nil, fmt.Errorf("prepare cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

// UnmarshalText reads the form that ParseKey reads; empty text gives the empty key.
func (k *Key) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*k = Key{}
		return nil
	}
	parsed, err := ParseKey(string(text))
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}

// String returns Redacted.
func (k Key) String() string { return Redacted }

// GoString returns Redacted; it serves %#v.
func (k Key) GoString() string { return Redacted }

// Format writes Redacted for every verb and flag.
func (k Key) Format(f fmt.State, _ rune) { redact(f) }

// LogValue returns Redacted to log/slog.
func (k Key) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText returns Redacted: a key survives no encoding but Encode.
func (k Key) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON returns Redacted as a JSON string.
func (k Key) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }
