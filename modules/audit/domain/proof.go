package domain

import (
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Proof shows that one record is part of the tree that a signed head fixes.
// Whoever has the verifier key of the tenant can check it without us.
type Proof struct {
	Number int64       `json:"number"` // of the record in the tree
	Hashes []tlog.Hash `json:"hashes"` // of the subtrees beside the way from the record to the root
	Head   string      `json:"head"`   // signed note
	Record string      `json:"record"` // the canonical bytes
}

// Check reports whether the proof holds, and what the head says.
func (p Proof) Check(keys ...string) (Head, error) {
	head, err := OpenHead(p.Head, keys...)
	if err != nil {
		return Head{}, err
	}
	if !json.Valid([]byte(p.Record)) {
		return Head{}, fmt.Errorf("the record of the proof is not JSON")
	}
	if err := tlog.CheckRecord(p.Hashes, head.Size, head.Root, p.Number, tlog.RecordHash([]byte(p.Record))); err != nil {
		return Head{}, fmt.Errorf("record %d is not what the head of size %d fixes: %w", p.Number, head.Size, err)
	}
	return head, nil
}
