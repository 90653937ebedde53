package domain

import (
	"encoding/json"
	"fmt"
	"time"
)

// Removal is what the trail keeps of records that retention has removed: the
// change of the record that tells of it.
type Removal struct {
	Records       int64     `json:"records"`        // that were removed by this run
	RemovedBefore int64     `json:"removed_before"` // all records with smaller numbers are gone
	OlderThan     time.Time `json:"older_than"`
	// Edge is the right edge of the tree of the records that are gone, one hash
	// after the other: all that the records after them need to be checked.
	Edge []byte `json:"edge"`
}

// ParseRemoval reads the change of such a record.
func ParseRemoval(after json.RawMessage) (Removal, error) {
	var r Removal
	if err := json.Unmarshal(after, &r); err != nil {
		return r, fmt.Errorf("record of a removal: %w", err)
	}
	return r, nil
}

// Start is the edge at which the first record that is left begins.
func (r Removal) Start() (Edge, error) {
	parts, err := Unpack(r.Edge)
	if err != nil {
		return Edge{}, err
	}
	return NewEdge(r.RemovedBefore, parts)
}
