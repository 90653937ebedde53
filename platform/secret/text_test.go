package secret_test

import (
	"bytes"
	"testing"

	"github.com/insulahq/insula/platform/secret"
)

// FuzzDecodeText: bytes have one text, and a text that is read is that of its
// bytes.
func FuzzDecodeText(f *testing.F) {
	for _, s := range []string{"", "AA", "AB", "AA==", "A\nA", "_-8", "+/8", "A"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if raw, err := secret.DecodeText(text); err == nil && secret.EncodeText(raw) != text {
			t.Fatalf("%q is read as %x, whose text is %q", text, raw, secret.EncodeText(raw))
		}
		raw, err := secret.DecodeText(secret.EncodeText([]byte(text)))
		if err != nil || !bytes.Equal(raw, []byte(text)) {
			t.Fatalf("%q comes back as %q, %v", text, raw, err)
		}
	})
}
