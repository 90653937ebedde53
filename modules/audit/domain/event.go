// Package domain has the rules of the audit trail: what a record holds, how
// much of a change it keeps, and which records a search finds.
package domain

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Event is one record of the trail. It never changes.
type Event struct {
	ID        uuid.UUID
	At        time.Time
	Operation string
	Outcome   string // done, denied or failed
	Code      string // error code; empty when done
	Rule      string // why it was allowed or denied
	Actor     Actor
	SessionID *uuid.UUID // nil when no session was behind it
	Target    Target
	// Before and After hold what a change made different: JSON, nil where the
	// thing did not exist or nothing was changed.
	Before, After json.RawMessage
	RequestID     string
	Address       string // of the client; empty when unknown
	Client        string // what the client calls itself
}

// Actor is who did it.
type Actor struct {
	Kind  string
	ID    *uuid.UUID // nil for who is no user of the tenant
	Label string
}

// Target is what it was done to. The zero value means nothing in particular.
type Target struct {
	Kind  string
	ID    string
	Label string
}

// Limits of the texts of an event, in bytes. What people send reaches the
// trail in some of them, and must neither fill it nor break its indexes.
const (
	maxName  = 100 // operations, codes, kinds
	maxLabel = 320 // the longest e-mail address
	maxID    = 200
	maxAgent = 300
)

// Tidy returns the event with every text fit to be kept: see Text.
func (e Event) Tidy() Event {
	e.Operation, e.Outcome = Text(e.Operation, maxName), Text(e.Outcome, maxName)
	e.Code, e.Rule = Text(e.Code, maxName), Text(e.Rule, maxLabel)
	e.Actor.Kind, e.Actor.Label = Text(e.Actor.Kind, maxName), Text(e.Actor.Label, maxLabel)
	e.Target.Kind, e.Target.ID = Text(e.Target.Kind, maxName), Text(e.Target.ID, maxID)
	e.Target.Label = Text(e.Target.Label, maxLabel)
	e.RequestID, e.Address = Text(e.RequestID, maxID), Text(e.Address, maxName)
	e.Client = Text(e.Client, maxAgent)
	return e
}
