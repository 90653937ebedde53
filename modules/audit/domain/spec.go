package domain

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// Spec says which events a search finds: those that agree with every field
// that is set. The zero Spec finds all.
type Spec struct {
	Actor      *uuid.UUID
	Operation  string // a name, or the beginning of names when it ends with a dot
	TargetKind string
	TargetID   string
	Outcome    string
	From, To   time.Time // from From on, before To
	RequestID  string
}

// OperationPrefix is the beginning that operations must have, when that is
// what Operation says.
func (s Spec) OperationPrefix() (prefix string, ok bool) {
	return s.Operation, strings.HasSuffix(s.Operation, ".")
}

// Tidy returns the spec with its texts as Event.Tidy keeps them, so that they
// still meet.
func (s Spec) Tidy() Spec {
	s.Operation, s.Outcome = Text(s.Operation, maxName), Text(s.Outcome, maxName)
	s.TargetKind, s.TargetID = Text(s.TargetKind, maxName), Text(s.TargetID, maxID)
	s.RequestID = Text(s.RequestID, maxID)
	return s
}
