// Package secret holds values that must never be printed: passwords, keys, tokens, connection strings.
//
// A secret travels as its own type, so that masking does not depend on anybody remembering it. Every way in
// which Go turns a value into text (fmt, slog, JSON, text encoding) yields Redacted; only an explicit call
// of Reveal, which is easy to search for, gives the content.
package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what every secret prints as, empty ones too, so that a log does not tell whether one is set.
const Redacted = "[redacted]"

// Value is a secret text. The zero Value is the empty secret.
//
// The content sits behind a pointer: fmt reads unexported fields by reflection, without calling their
// methods, and would otherwise print a Value that is a private field of some other struct.
type Value struct {
	content *string
}

// New wraps s. An empty s gives the zero Value.
func New(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{content: &s}
}

// Reveal returns the content. Call it where the secret is used, never to carry it further.
func (v Value) Reveal() string {
	if v.content == nil {
		return ""
	}
	return *v.content
}

// IsZero reports whether the secret is empty.
func (v Value) IsZero() bool { return v.content == nil }

// Equal compares two secrets in a time that does not depend on where they differ, nor on their lengths.
func (v Value) Equal(other Value) bool {
	a, b := sha256.Sum256([]byte(v.Reveal())), sha256.Sum256([]byte(other.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// UnmarshalText takes the secret from text, as configuration and JSON decoding do.
func (v *Value) UnmarshalText(text []byte) error {
	*v = New(string(text))
	return nil
}

// String returns Redacted.
func (v Value) String() string { return Redacted }

// GoString returns Redacted; it serves %#v.
func (v Value) GoString() string { return Redacted }

// Format writes Redacted for every verb and flag.
func (v Value) Format(f fmt.State, _ rune) { redact(f) }

// LogValue returns Redacted to log/slog.
func (v Value) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText returns Redacted: a secret survives no encoding.
func (v Value) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON returns Redacted as a JSON string.
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

func redact(f fmt.State) {
	_, _ = io.WriteString(f, Redacted) // a fmt.State keeps its own errors
}
