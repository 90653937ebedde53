package domain

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// HeadLine is a head as it is kept outside the database: a line of JSON. The
// log has lines with the same field, so both can be put into one file.
type HeadLine struct {
	Head string `json:"head"` // signed note
	// Leaves are the hashes of the records that this head was the first to fix,
	// one after the other; empty where they are not kept.
	Leaves []byte `json:"leaves,omitempty"`
}

// Open checks who signed the head, and makes a checkpoint of it.
func (l HeadLine) Open(source string, keys ...string) (Checkpoint, error) {
	head, err := OpenHead(l.Head, keys...)
	if err != nil {
		return Checkpoint{}, err
	}
	leaves, err := Unpack(l.Leaves)
	if err != nil || int64(len(leaves)) > head.Size {
		return Checkpoint{}, fmt.Errorf("head of size %d: its hashes are not whole", head.Size)
	}
	return Checkpoint{Head: head, Source: source, Leaves: leaves}, nil
}

// maxLine bounds a line of a file with heads or records, in bytes.
const maxLine = 64 << 20

// ParseHeads reads lines of JSON with heads, as the object store and the log
// have them; lines without a head are passed over. It returns them by size,
// and fails for a head that none of the keys signed.
func ParseHeads(r io.Reader, source string, keys ...string) ([]Checkpoint, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	var all []Checkpoint
	for n := 1; lines.Scan(); n++ {
		var line HeadLine
		if json.Unmarshal(lines.Bytes(), &line) != nil || line.Head == "" {
			continue
		}
		c, err := line.Open(source, keys...)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		all = append(all, c)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b Checkpoint) int {
		if a.Size != b.Size {
			return int(min(max(a.Size-b.Size, -1), 1))
		}
		return len(b.Leaves) - len(a.Leaves) // the one that can name a record comes first
	})
	return all, nil
}
