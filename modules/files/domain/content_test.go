package domain_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/files/domain"
)

// TestReceiver: whatever the pieces it comes in, content passes unchanged when
// it has the declared size, and ends in ErrSize otherwise. A store that was
// told the size may stop right there or read to the end.
func TestReceiver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := bytes.Repeat([]byte{byte(rapid.IntRange(0, 255).Draw(t, "byte"))}, rapid.IntRange(0, 9000).Draw(t, "length"))
		declared := int64(len(content)) + rapid.SampledFrom([]int64{0, 0, -1, 1, -500, 500}).Draw(t, "difference")
		declared = max(declared, 0)
		var body io.Reader = bytes.NewReader(content)
		if rapid.Bool().Draw(t, "halves") {
			body = iotest.HalfReader(body)
		}
		if rapid.Bool().Draw(t, "with EOF") {
			body = iotest.DataErrReader(body)
		}
		r, err := domain.Receive(body, declared)
		if err != nil {
			t.Fatal(err)
		}
		var store io.Reader = r
		if rapid.Bool().Draw(t, "stops at the size") {
			store = io.LimitReader(r, declared)
		}
		got, err := io.ReadAll(store)
		var c domain.Content
		if err == nil {
			c, err = r.Finish()
		}
		if declared != int64(len(content)) {
			if !errors.Is(err, domain.ErrSize) {
				t.Fatalf("%d bytes passed as %d: %v", len(content), declared, err)
			}
			return
		}
		sum := sha256.Sum256(content)
		if err != nil || !bytes.Equal(got, content) || c.Size != declared || !bytes.Equal(c.SHA256, sum[:]) {
			t.Fatalf("received %d of %d bytes, %+v, %v", len(got), declared, c, err)
		}
	})
}

func TestReceiverTellsTypesByTheBytes(t *testing.T) {
	for content, want := range map[string]string{
		"":                              "text/plain",
		"hello":                         "text/plain; charset=utf-8",
		"\x89PNG\r\n\x1a\n":             "image/png",
		"%PDF-1.7\n":                    "application/pdf",
		"<!DOCTYPE html><script>":       "text/html; charset=utf-8",
		"\x00\x01\x02\x03\x04\x05\x06?": "application/octet-stream",
		`{"a": 1}`:                      "application/json",
	} {
		r, err := domain.Receive(strings.NewReader(content), int64(len(content)))
		if err != nil || r.ContentType() != want {
			t.Errorf("%q is %s (%v)", content, r.ContentType(), err)
		}
	}
}

func TestReceiverPassesOnWhatTheClientSuffers(t *testing.T) {
	broken := errors.New("connection reset")
	if _, err := domain.Receive(iotest.ErrReader(broken), 5); !errors.Is(err, broken) {
		t.Errorf("at the start: %v", err)
	}
	long := strings.Repeat("x", 10_000)
	r, err := domain.Receive(io.MultiReader(strings.NewReader(long), iotest.ErrReader(broken)), 20_000)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); !errors.Is(err, broken) || len(got) != len(long) {
		t.Errorf("later: %d bytes, %v", len(got), err)
	}
}
