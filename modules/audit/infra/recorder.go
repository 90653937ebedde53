// Package infra keeps the audit trail in the tenant's schema.
//
// # Order
//
// Records are sealed in the order (xid, id), where xid is the transaction that
// wrote the record. Writers commit in any order and never wait for one
// another, so the order has to be one in which nothing can turn up behind a
// place that was passed:
//
//   - Transaction ids are given once and grow. A snapshot of PostgreSQL tells
//     the smallest id that is still running, xmin. Whoever had an id below it
//     has ended: what it wrote is either visible in this snapshot or was rolled
//     back and never will be. No transaction can get such an id any more.
//   - So in one statement, whose snapshot is one, the visible records with
//     xid < xmin are all that there ever will be below xmin. They are sealed by
//     their place in the order, and the next batch begins behind the last one.
//   - A transaction that began early and commits late keeps xmin at its own id
//     until it ends. Records after it wait; none is missed, and no writer waits.
//   - No clock takes part: neither the record's time, which can stand still or
//     jump, nor its id, which is made before the transaction is.
//   - Two processes that seal at the same time compute the same batch, and the
//     unique begin of a seal lets one of them add it.
//
// Ids of transactions count on one database server. When a tenant has come to
// another one (moved, restored elsewhere), the seal's server differs, and the
// records without a number are found by what they lack instead: one that came
// along was written by a transaction that has ended, and one whose id this
// server has not given yet came along.
//
// On PostgreSQL spread over several nodes (Citus) ids count where the statement
// is planned; all writers and the sealing of one tenant must then use the same
// coordinator, which they do.
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
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/uow"
)

// Recorder implements op.Recorder.
type Recorder struct {
	q       *auditdb.Queries
	bell    *Bell
	written func(outcome string)
}

// NewRecorder makes the recorder of a process. It rings the bell and counts
// after each record that is kept; metrics may be nil.
func NewRecorder(bell *Bell, m *telemetry.Metrics) *Recorder {
	return &Recorder{q: auditdb.New(), bell: bell, written: m.ObserveAudit}
}

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
	tx.AfterCommit(func(context.Context) {
		r.bell.Ring(entry.Tenant)
		r.written(e.Outcome)
	})
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
