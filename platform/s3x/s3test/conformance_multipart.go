package s3test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/s3x"
)

// putOnce: a link that stores once protects what was stored, from its own holder too.
func (s *suite) putOnce(t *testing.T) {
	key := s.newKey()
	link, err := s.store.PresignPut(t.Context(), key, s3x.Upload{Size: 5, ContentType: "text/plain", Once: true}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, answer := follow(t, link, "hello", func(r *http.Request) { r.Header.Del("If-None-Match") }); status < 400 {
		t.Errorf("without the condition: %d %s", status, answer)
	}
	s.mustBeMissing(t, key)
	if status, _, answer := follow(t, link, "hello", nil); status != http.StatusOK {
		t.Errorf("the first time: %d %s", status, answer)
	}
	if status, _, answer := follow(t, link, "jello", nil); status != http.StatusPreconditionFailed {
		t.Errorf("the second time: %d %s", status, answer)
	}
	if _, read := s.get(t, key, s3x.Range{}); string(read) != "hello" {
		t.Errorf("the object is now %q", read)
	}
}

func (s *suite) begin(t *testing.T, key s3x.Key) string {
	t.Helper()
	upload, err := s.store.Begin(t.Context(), key, "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	return upload
}

func (s *suite) putPart(t *testing.T, key s3x.Key, upload string, number int32, content []byte) {
	t.Helper()
	link, err := s.store.PresignPart(t.Context(), key, upload, number, int64(len(content)), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if status, header, answer := follow(t, link, string(content), nil); status != http.StatusOK || header.Get("ETag") == "" {
		t.Fatalf("part %d: %d %s", number, status, answer)
	}
}

func (s *suite) partsOf(t *testing.T, key s3x.Key, upload string) []s3x.Part {
	t.Helper()
	parts, err := s.store.Parts(t.Context(), key, upload)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

func (s *suite) parts(t *testing.T) {
	key, content := s.newKey(), noise(s3x.MinPartBytes+7)
	upload := s.begin(t, key)
	if parts := s.partsOf(t, key, upload); len(parts) != 0 {
		t.Errorf("parts before the first: %+v", parts)
	}
	s.putPart(t, key, upload, 2, content[s3x.MinPartBytes:])
	s.putPart(t, key, upload, 1, noise(s3x.MinPartBytes-1))
	s.putPart(t, key, upload, 1, content[:s3x.MinPartBytes]) // again, and this one counts
	s.mustBeMissing(t, key)
	parts := s.partsOf(t, key, upload)
	if len(parts) != 2 || parts[0].Number != 1 || parts[0].Size != s3x.MinPartBytes || parts[1].Number != 2 || parts[1].Size != 7 || parts[0].ETag == "" {
		t.Fatalf("parts %+v", parts)
	}
	if err := s.store.Complete(t.Context(), key, upload, parts); err != nil {
		t.Fatal(err)
	}
	if _, read := s.get(t, key, s3x.Range{}); !bytes.Equal(read, content) {
		t.Errorf("%d bytes come back as %d", len(content), len(read))
	}
	head, err := s.store.Head(t.Context(), key)
	if err != nil || head.Size != int64(len(content)) || head.ContentType != "text/plain" || head.SHA256 != "" {
		t.Errorf("head gives %+v, %v", head, err)
	}
	if err := s.store.Complete(t.Context(), key, upload, parts); err != nil && !errors.Is(err, s3x.ErrNotFound) {
		t.Errorf("complete again: %v", err)
	}
	s.mustBeOver(t, key, upload)
}

// mustBeOver checks that nothing can be done with an upload any more.
func (s *suite) mustBeOver(t *testing.T, key s3x.Key, upload string) {
	t.Helper()
	if _, err := s.store.Parts(t.Context(), key, upload); !errors.Is(err, s3x.ErrNotFound) {
		t.Errorf("parts of an upload that is over: %v", err)
	}
	if err := s.store.Abort(t.Context(), key, upload); err != nil {
		t.Errorf("abort of an upload that is over: %v", err)
	}
	link, err := s.store.PresignPart(t.Context(), key, upload, 1, 5, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, answer := follow(t, link, "hello", nil); status != http.StatusNotFound {
		t.Errorf("a part of an upload that is over: %d %s", status, answer)
	}
}

func (s *suite) wrongParts(t *testing.T) {
	key := s.newKey()
	upload := s.begin(t, key)
	s.putPart(t, key, upload, 1, []byte("small"))
	s.putPart(t, key, upload, 2, []byte("hello"))
	parts := s.partsOf(t, key, upload)
	for name, wrong := range map[string][]s3x.Part{
		"a part below the least size": parts,
		"a part that is not there":    {parts[0], {Number: 3, Size: 5, ETag: parts[1].ETag}},
		"a part that has changed":     {{Number: 1, Size: 5, ETag: parts[1].ETag}},
	} {
		if err := s.store.Complete(t.Context(), key, upload, wrong); !errors.Is(err, s3x.ErrParts) || errors.Is(err, s3x.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.mustBeMissing(t, key)
	link, err := s.store.PresignPart(t.Context(), key, upload, 1, 5, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{"longer": "hello!", "shorter": "hell"} {
		if status, _, _ := follow(t, link, body, nil); status < 400 || status > 499 {
			t.Errorf("a part that is %s than signed: %d", name, status)
		}
	}
	if status, _, _ := follow(t, link, "hello", func(r *http.Request) { r.URL.Path = r.URL.Path[:len(r.URL.Path)-1] + "~" }); status < 400 {
		t.Errorf("a part of another object: %d", status)
	}
	if err := s.store.Abort(t.Context(), key, upload); err != nil {
		t.Fatal(err)
	}
}

func (s *suite) abort(t *testing.T) {
	key := s.newKey()
	upload := s.begin(t, key)
	s.putPart(t, key, upload, 1, []byte("hello"))
	parts := s.partsOf(t, key, upload)
	if err := s.store.Abort(t.Context(), key, upload); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Complete(t.Context(), key, upload, parts); !errors.Is(err, s3x.ErrNotFound) {
		t.Errorf("complete after the abort: %v", err)
	}
	s.mustBeOver(t, key, upload)
	s.mustBeMissing(t, key)
}

func (s *suite) unfinished(t *testing.T) {
	mine, foreign := s.newKey(), s.newKey()
	upload, other := s.begin(t, mine), s.begin(t, foreign)
	found := 0
	for u, err := range s.store.Unfinished(t.Context(), mine.Tenant()) {
		if err != nil {
			t.Fatal(err)
		}
		if found++; u.Key != mine || u.Upload != upload || u.Begun.IsZero() {
			t.Errorf("listed %+v", u)
		}
	}
	if found != 1 {
		t.Errorf("%d uploads listed", found)
	}
	for key, upload := range map[s3x.Key]string{mine: upload, foreign: other} {
		if err := s.store.Abort(t.Context(), key, upload); err != nil {
			t.Fatal(err)
		}
	}
	for u, err := range s.store.Unfinished(t.Context(), mine.Tenant()) {
		t.Errorf("after the abort: %+v, %v", u, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended := 0
	for _, err := range s.store.Unfinished(ctx, uuid.New()) {
		if ended++; !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context: %v", err)
		}
	}
	if ended != 1 {
		t.Error("listing with an ended context is silent")
	}
}

func (s *suite) impossibleParts(t *testing.T) {
	for name, tt := range map[string]struct {
		number int32
		size   int64
		life   time.Duration
	}{
		"number 0":      {0, 5, time.Minute},
		"number 10,001": {s3x.MaxParts + 1, 5, time.Minute},
		"empty":         {1, 0, time.Minute},
		"too large":     {1, s3x.MaxPartBytes + 1, time.Minute},
		"no life":       {1, 5, 0},
	} {
		if l, err := s.store.PresignPart(t.Context(), s.newKey(), "upload", tt.number, tt.size, tt.life); !errors.Is(err, s3x.ErrLink) {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
}
