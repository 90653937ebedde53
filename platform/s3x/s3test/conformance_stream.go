package s3test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/insulahq/insula/platform/s3x"
)

// stream is about objects of unknown length, and archives, whose keys no tenant's list has.
func (s *suite) stream(t *testing.T) {
	for _, size := range []int{0, 70_000, 2*s3x.MinPartBytes + s3x.MinPartBytes} {
		key, content := s3x.ArchiveKey(s.ids.New()), noise(size)
		object, err := s.store.Stream(t.Context(), key, unseekable{bytes.NewReader(content)}, 10, "application/x-tar")
		if err != nil {
			t.Fatal(err)
		}
		if object.Key != key || object.Size != int64(size) || object.SHA256 != hexSum(content) || object.ETag == "" {
			t.Errorf("stream of %d bytes gives %+v", size, object)
		}
		if _, read := s.get(t, key, s3x.Range{}); !bytes.Equal(read, content) {
			t.Errorf("%d bytes come back as %d", size, len(read))
		}
		if err := s.store.Discard(t.Context(), key); err != nil {
			t.Error(err)
		}
		s.mustBeMissing(t, key)
	}
}

// brokenStream: what breaks in the middle is not stored, and its own error comes back.
func (s *suite) brokenStream(t *testing.T) {
	broken := errors.New("the source broke")
	for _, size := range []int{0, 1000, 3 * s3x.MinPartBytes} {
		key := s3x.ArchiveKey(s.ids.New())
		source := io.MultiReader(bytes.NewReader(noise(size)), iotest.ErrReader(broken))
		if _, err := s.store.Stream(t.Context(), key, source, 0, "application/x-tar"); !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v", size, err)
		}
		s.mustBeMissing(t, key)
	}
}

// discard takes an unfinished upload too, and only that of its key.
func (s *suite) discard(t *testing.T) {
	key, other := s.newKey(), s.newKey()
	upload, err := s.store.Begin(t.Context(), key, "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := s.store.Begin(t.Context(), other, "text/plain")
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, other, []byte("kept"))
	for range 2 {
		if err := s.store.Discard(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.store.Parts(t.Context(), key, upload); !errors.Is(err, s3x.ErrNotFound) {
		t.Errorf("the upload is still there: %v", err)
	}
	if _, err := s.store.Parts(t.Context(), other, kept); err != nil {
		t.Errorf("another upload is gone: %v", err)
	}
	if _, read := s.get(t, other, s3x.Range{}); string(read) != "kept" {
		t.Errorf("another object is %q", read)
	}
	if err := s.store.Abort(t.Context(), other, kept); err != nil {
		t.Error(err)
	}
}
