package domain

import (
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Edge is the right edge of a tree: the hashes of the complete subtrees that
// its records fall into, the largest first. It is all that is needed to add
// records and to know the root, and it has one hash for each bit of the size.
// The zero Edge is that of the empty tree.
type Edge struct {
	size  int64
	parts []tlog.Hash
}

// NewEdge makes the edge of a tree of this size from its parts.
func NewEdge(size int64, parts []tlog.Hash) (Edge, error) {
	if size < 0 || bits.OnesCount64(uint64(size)) != len(parts) {
		return Edge{}, fmt.Errorf("a tree of %d records has not %d parts", size, len(parts))
	}
	return Edge{size: size, parts: append([]tlog.Hash(nil), parts...)}, nil
}

// EdgePositions are the places of the parts of a tree of this size in the
// order in which hashes are stored (tlog.StoredHashIndex).
func EdgePositions(size int64) []int64 {
	var positions []int64
	for rest, from := uint64(size), int64(0); rest != 0; {
		level := bits.Len64(rest) - 1
		positions = append(positions, tlog.StoredHashIndex(level, from>>level))
		from += 1 << level
		rest &^= 1 << level
	}
	return positions
}

// Size is how many records the tree has.
func (e *Edge) Size() int64 { return e.size }

func (e *Edge) clone() Edge { return Edge{size: e.size, parts: e.Parts()} }

// Parts are the hashes of the subtrees, the largest first.
func (e *Edge) Parts() []tlog.Hash { return append([]tlog.Hash(nil), e.parts...) }

// Append adds a record by its hash and returns the hashes to store for it, in
// the order of tlog.StoredHashIndex: its own, and those of the subtrees that
// it completes.
func (e *Edge) Append(leaf tlog.Hash) []tlog.Hash {
	stored := []tlog.Hash{leaf}
	h := leaf
	for n := e.size; n&1 == 1; n >>= 1 {
		last := len(e.parts) - 1
		h = tlog.NodeHash(e.parts[last], h)
		e.parts = e.parts[:last]
		stored = append(stored, h)
	}
	e.parts = append(e.parts, h)
	e.size++
	return stored
}

// Root is the hash of the whole tree. An empty tree has none: it is never
// sealed.
func (e *Edge) Root() tlog.Hash {
	if e.size == 0 {
		return tlog.Hash{}
	}
	last := len(e.parts) - 1
	root := e.parts[last]
	for i := last - 1; i >= 0; i-- {
		root = tlog.NodeHash(e.parts[i], root)
	}
	return root
}

// Pack joins hashes into bytes.
func Pack(hashes []tlog.Hash) []byte {
	b := make([]byte, 0, len(hashes)*tlog.HashSize)
	for _, h := range hashes {
		b = append(b, h[:]...)
	}
	return b
}

// Unpack takes hashes apart that stand one after the other.
func Unpack(raw []byte) ([]tlog.Hash, error) {
	if len(raw)%tlog.HashSize != 0 {
		return nil, fmt.Errorf("%d bytes are no whole hashes", len(raw))
	}
	hashes := make([]tlog.Hash, len(raw)/tlog.HashSize)
	for i := range hashes {
		copy(hashes[i][:], raw[i*tlog.HashSize:])
	}
	return hashes, nil
}
