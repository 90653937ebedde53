// Package infra keeps the audit trail in the tenant's schema.
package infra

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra/internal/auditdb"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Recorder implements op.Recorder.
type Recorder struct{ q *auditdb.Queries }

// NewRecorder makes the recorder of a process.
func NewRecorder() *Recorder { return &Recorder{q: auditdb.New()} }

// Record implements op.Recorder: one row, in the transaction of tx.
func (r *Recorder) Record(ctx context.Context, tx uow.Tx, entry op.Entry) error {
	e, err := eventOf(entry)
	if err != nil {
		return fmt.Errorf("record %s: %w", entry.Operation, err)
	}
	err = r.q.InsertEvent(ctx, pg.DB(tx), auditdb.InsertEventParams{
		ID: e.ID, At: e.At, Operation: e.Operation, Outcome: e.Outcome, Code: e.Code, Rule: e.Rule,
		ActorKind: e.Actor.Kind, ActorID: e.Actor.ID, ActorLabel: e.Actor.Label, SessionID: e.SessionID,
		TargetKind: e.Target.Kind, TargetID: e.Target.ID, TargetLabel: e.Target.Label,
		Before: e.Before, After: e.After, RequestID: e.RequestID, Address: e.Address, Client: e.Client,
	})
	if err != nil {
		return fmt.Errorf("record %s: %w", entry.Operation, pg.Translate(err, nil, nil))
	}
	return nil
}

func eventOf(entry op.Entry) (domain.Event, error) {
	before, after, err := domain.Difference(entry.Before, entry.After)
	if err != nil {
		return domain.Event{}, err
	}
	c := entry.Caller
	e := domain.Event{
		ID: entry.ID, At: entry.At, Operation: entry.Operation,
		Outcome: string(entry.Outcome), Code: entry.Code, Rule: entry.Decision.Rule,
		Actor:     domain.Actor{Kind: kindOf(c), ID: known(c.ID), Label: c.Label},
		SessionID: known(c.Session),
		Target:    domain.Target(entry.Target),
		Before:    before, After: after,
		RequestID: c.Origin.RequestID, Address: addressOf(c.Origin.Addr), Client: c.Origin.Client,
	}
	return e.Tidy(), nil
}

func kindOf(c authn.Caller) string {
	if c.Kind == "" {
		return string(authn.Anonymous)
	}
	return string(c.Kind)
}

// known is nil for the id that nothing has.
func known(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

func addressOf(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
