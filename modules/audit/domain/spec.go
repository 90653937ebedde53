package domain

import (
	"slices"
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
	Address    string
	Text       string // words that a change must all have in its values
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
	s.RequestID, s.Address = Text(s.RequestID, maxID), Text(s.Address, maxName)
	return s
}

// Words are those of Text. One that is longer than any that is kept stays, so
// that nothing is found.
func (s Spec) Words() []string { return split(s.Text) }

func (s Spec) findsWords(e Event) bool {
	wanted := s.Words()
	if len(wanted) == 0 {
		return true
	}
	found := map[string]bool{}
	for _, w := range WordsOf(e) {
		found[w.Word] = true
	}
	return !slices.ContainsFunc(wanted, func(word string) bool { return !found[word] })
}

// Finds reports whether an event is among those that the spec means.
func (s Spec) Finds(e Event) bool {
	prefix, byPrefix := s.OperationPrefix()
	switch {
	case s.Actor != nil && (e.Actor.ID == nil || *e.Actor.ID != *s.Actor),
		byPrefix && !strings.HasPrefix(e.Operation, prefix),
		!byPrefix && s.Operation != "" && s.Operation != e.Operation,
		s.TargetKind != "" && s.TargetKind != e.Target.Kind,
		s.TargetID != "" && s.TargetID != e.Target.ID,
		s.Outcome != "" && s.Outcome != e.Outcome,
		s.RequestID != "" && s.RequestID != e.RequestID,
		s.Address != "" && s.Address != e.Address,
		!s.From.IsZero() && e.At.Before(s.From),
		!s.To.IsZero() && !e.At.Before(s.To):
		return false
	}
	return s.findsWords(e)
}
