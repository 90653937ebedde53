package secret_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/insulahq/insula/platform/secret"
)

func testKey(t *testing.T) secret.Key {
	t.Helper()
	k, err := secret.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestParseKey(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, secret.KeySize))
	tests := map[string]struct {
		text string
		ok   bool
	}{
		"32 bytes":        {good, true},
		"empty":           {"", false},
		"31 bytes":        {base64.StdEncoding.EncodeToString(make([]byte, 31)), false},
		"33 bytes":        {base64.StdEncoding.EncodeToString(make([]byte, 33)), false},
		"no padding":      {strings.TrimRight(good, "="), false},
		"url alphabet":    {strings.Repeat("_", 43) + "=", false},
		"dirty last bits": {good[:42] + "d=", false},
		"hex":             {hex.EncodeToString(make([]byte, 32)), false},
		"trailing text":   {good + "x", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k, err := secret.ParseKey(tt.text)
			if (err == nil) != tt.ok {
				t.Fatalf("error = %v", err)
			}
			if err != nil && (!errors.Is(err, secret.ErrKey) || tt.text != "" && strings.Contains(err.Error(), tt.text)) {
				t.Errorf("error = %v", err)
			}
			if err == nil && k.Encode().Reveal() != tt.text {
				t.Errorf("encode gives another text")
			}
		})
	}
}

// opensslDerived was computed with OpenSSL, an implementation of HKDF other than Go's.
const opensslDerived = "2b2b1038923903296cc856fd521de154"

func TestDeriveIsHKDFAndSeparatesLabels(t *testing.T) {
	k, err := secret.NewKey(bytes.NewReader(bytes.Repeat([]byte{0x0b}, secret.KeySize)))
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(k.Derive("insula/test/v1", 16)); got != opensslDerived {
		t.Errorf("derived %s, want %s", got, opensslDerived)
	}
	if bytes.Equal(k.Derive("a", 32), k.Derive("b", 32)) {
		t.Error("two labels give the same key")
	}
	if bytes.Equal(k.Derive("a", 32), testKey(t).Derive("a", 32)) {
		t.Error("two keys give the same derived key")
	}
	if got := k.DeriveKey("a").Encode().Reveal(); got != base64.StdEncoding.EncodeToString(k.Derive("a", 32)) {
		t.Error("DeriveKey is not Derive")
	}
}

func TestSealOpens(t *testing.T) {
	k := testKey(t)
	for _, text := range []string{"", "x", strings.Repeat("long ", 1000)} {
		sealed, err := k.Seal(rand.Reader, []byte(text), []byte("row 1"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := k.Open(sealed, []byte("row 1"))
		if err != nil || string(got) != text {
			t.Errorf("open = %q, %v", got, err)
		}
		again, err := k.Seal(rand.Reader, []byte(text), []byte("row 1"))
		if err != nil || bytes.Equal(sealed, again) {
			t.Errorf("sealing twice gives the same text (%v)", err)
		}
	}
}

func TestOpenRefusesEverythingElse(t *testing.T) {
	k := testKey(t)
	aad := []byte("row 1")
	sealed, err := k.Seal(rand.Reader, []byte("private"), aad)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := k.Open(changed, aad); !errors.Is(err, secret.ErrOpen) {
			t.Fatalf("byte %d changed: error = %v", i, err)
		}
		if _, err := k.Open(sealed[:i], aad); !errors.Is(err, secret.ErrOpen) {
			t.Fatalf("cut to %d bytes: error = %v", i, err)
		}
	}
	if _, err := k.Open(sealed, []byte("row 2")); !errors.Is(err, secret.ErrOpen) {
		t.Errorf("other aad: error = %v", err)
	}
	if _, err := testKey(t).Open(sealed, aad); !errors.Is(err, secret.ErrOpen) {
		t.Errorf("other key: error = %v", err)
	}
}

func TestEmptyKeyAndBrokenRandomnessRefuse(t *testing.T) {
	var empty secret.Key
	if _, err := empty.Seal(rand.Reader, nil, nil); !errors.Is(err, secret.ErrNoKey) {
		t.Errorf("seal: %v", err)
	}
	if _, err := empty.Open(nil, nil); !errors.Is(err, secret.ErrNoKey) {
		t.Errorf("open: %v", err)
	}
	if _, err := secret.NewKey(strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("new key: %v", err)
	}
	if _, err := testKey(t).Seal(strings.NewReader("short"), nil, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("seal: %v", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("deriving from the empty key did not panic")
		}
	}()
	empty.Derive("x", 1)
}
