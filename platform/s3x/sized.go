package s3x

import (
	"fmt"
	"io"
)

// SizedReader reads content of an announced size and fails with ErrSize when there is less or more, so that
// a cut upload is not stored as if it were whole.
type SizedReader struct {
	r    io.Reader
	left int64
	err  error // the first error but io.EOF
}

// NewSizedReader returns a reader of exactly size bytes of r.
func NewSizedReader(r io.Reader, size int64) *SizedReader { return &SizedReader{r: r, left: size} }

// Err returns what went wrong while reading: ErrSize, or the error of the underlying reader.
func (s *SizedReader) Err() error { return s.err }

// Read implements io.Reader.
func (s *SizedReader) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.left -= int64(n)
	switch {
	case s.left < 0:
		s.err = fmt.Errorf("%w: it is longer", ErrSize)
	case err == io.EOF && s.left > 0:
		s.err = fmt.Errorf("%w: %d bytes are missing", ErrSize, s.left)
	case err != io.EOF:
		s.err = err
	default:
		return n, io.EOF
	}
	return n, s.err
}
