package api

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
)

// AuditEvent is an event as clients see it.
type AuditEvent struct {
	ID        uuid.UUID    `json:"id" format:"uuid" doc:"Identifier of the event."`
	At        time.Time    `json:"at" doc:"When it happened."`
	Operation string       `json:"operation" maxLength:"100" doc:"The operation that was run or tried." example:"users.create"`
	Outcome   string       `json:"outcome" enum:"done,denied,failed" doc:"How it ended."`
	Code      string       `json:"code,omitempty" maxLength:"100" doc:"Code of the error; absent when done." example:"users.email_taken"`
	Rule      string       `json:"rule" maxLength:"320" doc:"Why it was allowed or denied." example:"role admin"`
	Actor     AuditActor   `json:"actor" doc:"Who did it."`
	SessionID *uuid.UUID   `json:"session_id,omitempty" format:"uuid" doc:"The session behind it; absent when there was none."`
	Target    *AuditTarget `json:"target,omitempty" doc:"What it was done to; absent when nothing in particular."`
	Before    any          `json:"before,omitempty" doc:"What was different before. Secrets are redacted, and fields too large to keep are noted with their size."`
	After     any          `json:"after,omitempty" doc:"What is different now; see before."`
	RequestID string       `json:"request_id" maxLength:"200" doc:"The request it was part of."`
	Address   string       `json:"address" maxLength:"100" doc:"Network address of the client; empty when unknown." example:"192.0.2.7"`
	Client    string       `json:"client" maxLength:"300" doc:"What the client calls itself."`
	Proof     *AuditProof  `json:"proof,omitempty" doc:"Shows that the event is part of the sealed trail; there when asked for."`
}

// AuditActor is who did something.
type AuditActor struct {
	Kind  string     `json:"kind" enum:"anonymous,user,job,operator" doc:"What sort of principal it was."`
	ID    *uuid.UUID `json:"id,omitempty" format:"uuid" doc:"The user; absent for others."`
	Label string     `json:"label" maxLength:"320" doc:"E-mail address or name of the job, as it was then."`
}

// AuditTarget is what something was done to.
type AuditTarget struct {
	Kind  string `json:"kind" maxLength:"100" doc:"What sort of thing it is." example:"user"`
	ID    string `json:"id" maxLength:"200" doc:"Identifier of the thing."`
	Label string `json:"label" maxLength:"320" doc:"What people called it then."`
}

func showEvent(e domain.Event) AuditEvent {
	return AuditEvent{
		ID: e.ID, At: e.At, Operation: e.Operation, Outcome: e.Outcome, Code: e.Code, Rule: e.Rule,
		Actor:     AuditActor{Kind: e.Actor.Kind, ID: e.Actor.ID, Label: e.Actor.Label},
		SessionID: e.SessionID,
		Target:    showTarget(e.Target),
		Before:    showChange(e.Before), After: showChange(e.After),
		RequestID: e.RequestID, Address: e.Address, Client: e.Client,
	}
}

func showTarget(t domain.Target) *AuditTarget {
	if t == (domain.Target{}) {
		return nil
	}
	return &AuditTarget{Kind: t.Kind, ID: t.ID, Label: t.Label}
}

// showChange is a nil any for nothing, so that the field is left out.
func showChange(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return raw
}
