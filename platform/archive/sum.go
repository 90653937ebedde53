package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/google/uuid"
)

// sum counts and hashes a part while it passes.
type sum struct {
	name  string
	hash  hash.Hash
	count int64
	bytes int64
}

func newSum(name string) *sum { return &sum{name: name, hash: sha256.New()} }

// Write implements io.Writer; it never fails.
func (s *sum) Write(p []byte) (int, error) {
	s.bytes += int64(len(p))
	return s.hash.Write(p)
}

// file begins a file: its id and size are part of the sum, so that contents
// cannot change places.
func (s *sum) file(id uuid.UUID, size int64) {
	s.count++
	s.hash.Write(id[:])
	s.hash.Write(binary.BigEndian.AppendUint64(nil, uint64(size)))
}

func (s *sum) part() Part {
	return Part{Name: s.name, Count: s.count, Bytes: s.bytes, SHA256: hex.EncodeToString(s.hash.Sum(nil))}
}
