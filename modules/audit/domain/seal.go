package domain

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

// Mark is a place in the order in which records are sealed: by the
// transaction that wrote them, then by their id.
type Mark struct {
	Xid int64
	ID  uuid.UUID
}

// Before reports whether m comes before other.
func (m Mark) Before(other Mark) bool {
	return m.Xid < other.Xid || m.Xid == other.Xid && bytes.Compare(m.ID[:], other.ID[:]) < 0
}

// String is the mark as clients keep it.
func (m Mark) String() string { return strconv.FormatInt(m.Xid, 10) + "." + m.ID.String() }

// ParseMark reads what String made; it returns ErrMark for anything else.
func ParseMark(text string) (m Mark, err error) {
	xid, id, _ := strings.Cut(text, ".")
	if m.Xid, err = strconv.ParseInt(xid, 10, 64); err != nil || m.Xid < 0 {
		return Mark{}, ErrMark
	}
	if m.ID, err = uuid.Parse(id); err != nil {
		return Mark{}, ErrMark
	}
	return m, nil
}

// Mark is the place of a record.
func (w Written) Mark() Mark { return Mark{Xid: w.Xid, ID: w.ID} }

// Written is an event with its place in that order.
type Written struct {
	Event
	Xid int64
}

// Seal is a batch of records that became part of the tree together, and the
// signed head of the tree with them.
type Seal struct {
	First int64 // number of the first record
	Size  int64 // of the tree with the batch
	// Hashes are those to store for the records, one after the other in the
	// order of tlog.StoredHashIndex, without a gap to the batch before.
	Hashes []byte
	Events []uuid.UUID // the records in their order
	Words  []Word      // that searches find the records by
	Head   string      // signed note
	At     time.Time
	Oldest time.Time // when the oldest of the records was made; only as NewSeal made it
	Last   Mark      // all records up to here are sealed
	Server string    // the database server that Last counts on
}

// FirstHash is the place of the first of its hashes.
func (s Seal) FirstHash() int64 { return tlog.StoredHashCount(s.First) }

// errHashes says that a seal does not hold the hashes of its records.
var errHashes = errors.New("a seal does not hold the hashes of its records")

// Leaves are the hashes of the records of a seal.
func (s Seal) Leaves() ([]tlog.Hash, error) {
	hashes, err := Unpack(s.Hashes)
	if err != nil {
		return nil, err
	}
	if s.First < 0 || s.Size <= s.First || int64(len(hashes)) != tlog.StoredHashCount(s.Size)-s.FirstHash() {
		return nil, errHashes
	}
	leaves := make([]tlog.Hash, s.Size-s.First)
	for i := range leaves {
		leaves[i] = hashes[tlog.StoredHashIndex(0, s.First+int64(i))-s.FirstHash()]
	}
	return leaves, nil
}

// NewSeal adds a batch to the tree with this edge, which moves on, and signs
// the new head. The batch must not be empty.
func NewSeal(edge *Edge, batch []Written, key *HeadKey, at time.Time) (Seal, error) {
	s := Seal{First: edge.Size(), At: at}
	var hashes []tlog.Hash
	for _, w := range batch {
		leaf, err := LeafHash(w.Event)
		if err != nil {
			return Seal{}, err
		}
		hashes = append(hashes, edge.Append(leaf)...)
		s.Events = append(s.Events, w.ID)
		s.Words = append(s.Words, WordsOf(w.Event)...)
		s.Last = Mark{Xid: w.Xid, ID: w.ID}
		if s.Oldest.IsZero() || w.At.Before(s.Oldest) {
			s.Oldest = w.At
		}
	}
	s.Size, s.Hashes = edge.Size(), Pack(hashes)
	var err error
	s.Head, err = key.Sign(Head{Tenant: key.tenant, Size: s.Size, Root: edge.Root(), At: at})
	return s, err
}
