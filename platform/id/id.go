// Package id makes and reads the identifiers of everything that is stored: UUIDs of version 7 (RFC 9562).
// They are made in Go rather than by the database, grow with time, and so keep indexes dense without
// telling anybody how many rows there are.
package id

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Source makes identifiers. Implementations are safe for concurrent use.
type Source interface {
	New() uuid.UUID
}

// System makes identifiers from the machine's clock and randomness.
type System struct{}

// New returns an identifier greater than all that this process made before.
func (System) New() uuid.UUID {
	// Must: the only possible error is that the machine has no randomness, and Go ends the process then.
	return uuid.Must(uuid.NewV7())
}

// Sequence makes the same identifiers in the same order for the same seed: for tests and golden files.
type Sequence struct {
	seed uint64
	last atomic.Uint64
}

// sequenceStart is the instant in the first identifier of every Sequence; each next one is 1 ms later.
var sequenceStart = uint64(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())

// NewSequence returns the sequence of a seed. Two seeds never share an identifier.
func NewSequence(seed uint64) *Sequence { return &Sequence{seed: seed} }

// New returns the next identifier, a valid version 7 UUID greater than the one before.
func (s *Sequence) New() uuid.UUID {
	n := s.last.Add(1)
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[:8], (sequenceStart+n)<<16)
	binary.BigEndian.PutUint64(u[8:], s.seed)
	u[7] = byte(s.seed >> 62) // the two bits of the seed that the variant takes away below
	u[6] = 7 << 4
	u[8] = u[8]&0x3f | 0x80
	return u
}

// ErrMalformed says that a text is no identifier.
var ErrMalformed = errors.New("not an identifier: expected a UUID such as 0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d")

// Parse reads an identifier in its canonical form of 36 characters, in either case of letters. Other
// spellings of a UUID (braces, URN, no hyphens) and the all-zero UUID are refused: one thing has one name.
func Parse(text string) (uuid.UUID, error) {
	if len(text) != 36 {
		return uuid.Nil, ErrMalformed
	}
	u, err := uuid.Parse(text)
	if err != nil || u == uuid.Nil {
		return uuid.Nil, ErrMalformed
	}
	return u, nil
}
