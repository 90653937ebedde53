package secret

import (
	"encoding/base64"
	"errors"
	"strings"
)

// ErrText says that a text is not base64url as EncodeText writes it.
var ErrText = errors.New("not base64url in its one form")

// EncodeText writes bytes as base64url without padding, the form of all opaque
// texts that clients carry.
func EncodeText(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// DecodeText reads what EncodeText writes, and no other spelling of the same
// bytes: no padding, no loose last bits, and no line breaks, which the standard
// library skips.
func DecodeText(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, ErrText
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, ErrText // the decoder's message would quote bytes of a secret
	}
	return raw, nil
}
