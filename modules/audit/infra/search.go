package infra

import (
	"cmp"
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra/internal/auditdb"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// List implements domain.Repository.
func (r *Repository) List(ctx context.Context, tx uow.Tx, s domain.Spec, p page.Request) (page.Page[domain.Event], error) {
	if err := pg.KeepOrder(ctx, tx); err != nil {
		return page.Page[domain.Event]{}, pg.Translate(err, nil, nil)
	}
	q := newQuery(s.Tidy(), p)
	if err := r.rarestFirst(ctx, tx, q.words); err != nil {
		return page.Page[domain.Event]{}, pg.Translate(err, nil, nil)
	}
	rows, err := r.search(ctx, tx, q)
	if err != nil {
		return page.Page[domain.Event]{}, pg.Translate(err, nil, nil)
	}
	events := make([]domain.Event, len(rows))
	for i, row := range rows {
		events[i] = toEvent(row)
	}
	return page.Cut(events, p.Limit, func(e domain.Event) page.Position {
		return page.Position{At: e.At, ID: e.ID}
	}), nil
}

// query is a spec as statements take it. What leads is bound by the statement
// of its name; the rest thins out, nil for what is not asked for.
type query struct {
	until     page.Position // places before it, in time
	from      page.Position // and from here on
	actor     *uuid.UUID
	operation *string
	prefix    *string
	kind      *string
	target    *string
	outcome   *string
	request   *string
	address   *string
	words     []string
	rows      int32
}

func newQuery(s domain.Spec, p page.Request) query {
	q := query{
		until: p.From(), from: page.Position{At: s.From}, rows: int32(p.Limit) + 1,
		actor: s.Actor, kind: given(s.TargetKind), target: given(s.TargetID), outcome: given(s.Outcome),
		request: given(s.RequestID), address: given(s.Address), words: s.Words(),
	}
	if !s.To.IsZero() && !q.until.At.Before(s.To) {
		q.until = page.Position{At: s.To} // no id is smaller than none: before To
	}
	if prefix, ok := s.OperationPrefix(); ok {
		q.prefix = &prefix
	} else {
		q.operation = given(s.Operation)
	}
	return q
}

// search runs the statement whose index narrows most: the filters stand in the
// order in which few records are to be expected.
func (r *Repository) search(ctx context.Context, tx uow.Tx, q query) ([]auditdb.AuditEvent, error) {
	db := pg.DB(tx)
	switch {
	case q.request != nil:
		return r.q.ListEventsByRequest(ctx, db, auditdb.ListEventsByRequestParams{
			RequestID: *q.request, UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.from.At, FromID: q.from.ID, MaxRows: q.rows, Words: q.words,
			ActorID: q.actor, Operation: q.operation, OperationPrefix: q.prefix, TargetKind: q.kind, TargetID: q.target, Outcome: q.outcome, Address: q.address,
		})
	case q.target != nil:
		return r.q.ListEventsByTarget(ctx, db, auditdb.ListEventsByTargetParams{
			TargetID: *q.target, UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.from.At, FromID: q.from.ID, MaxRows: q.rows, Words: q.words,
			ActorID: q.actor, Operation: q.operation, OperationPrefix: q.prefix, TargetKind: q.kind, Outcome: q.outcome, Address: q.address,
		})
	case len(q.words) > 0:
		return r.q.ListEventsByWord(ctx, db, auditdb.ListEventsByWordParams{
			Word: q.words[0], UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.from.At, FromID: q.from.ID, MaxRows: q.rows, Words: q.words[1:],
			ActorID: q.actor, Operation: q.operation, OperationPrefix: q.prefix, TargetKind: q.kind, Outcome: q.outcome, Address: q.address,
		})
	case q.actor != nil:
		return r.q.ListEventsByActor(ctx, db, auditdb.ListEventsByActorParams{
			ActorID: *q.actor, UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.from.At, FromID: q.from.ID, MaxRows: q.rows,
			Operation: q.operation, OperationPrefix: q.prefix, TargetKind: q.kind, Outcome: q.outcome, Address: q.address,
		})
	case q.address != nil:
		return r.q.ListEventsByAddress(ctx, db, auditdb.ListEventsByAddressParams{
			Address: *q.address, UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.from.At, FromID: q.from.ID, MaxRows: q.rows,
			Operation: q.operation, OperationPrefix: q.prefix, TargetKind: q.kind, Outcome: q.outcome,
		})
	case q.operation != nil:
		return r.q.ListEventsByOperation(ctx, db, auditdb.ListEventsByOperationParams{
			Operation: *q.operation, UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.from.At, FromID: q.from.ID, MaxRows: q.rows,
			TargetKind: q.kind, Outcome: q.outcome,
		})
	}
	return r.searchWide(ctx, tx, q)
}

// searchWide is for the filters that many records can pass.
func (r *Repository) searchWide(ctx context.Context, tx uow.Tx, q query) ([]auditdb.AuditEvent, error) {
	db := pg.DB(tx)
	switch {
	case q.prefix != nil:
		names, err := r.q.OperationNames(ctx, db, *q.prefix)
		if err != nil {
			return nil, err
		}
		return r.q.ListEventsByOperations(ctx, db, auditdb.ListEventsByOperationsParams{
			Operations: names, UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.from.At, FromID: q.from.ID, MaxRows: q.rows,
			TargetKind: q.kind, Outcome: q.outcome,
		})
	case q.outcome != nil && *q.outcome != "done":
		return r.q.ListRefusedEvents(ctx, db, auditdb.ListRefusedEventsParams{
			Outcome: *q.outcome, UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.from.At, FromID: q.from.ID, MaxRows: q.rows, TargetKind: q.kind,
		})
	case q.kind != nil:
		return r.q.ListEventsByKind(ctx, db, auditdb.ListEventsByKindParams{
			TargetKind: *q.kind, UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.from.At, FromID: q.from.ID, MaxRows: q.rows, Outcome: q.outcome,
		})
	}
	return r.q.ListEvents(ctx, db, auditdb.ListEventsParams{
		UntilAt: q.until.At, UntilID: q.until.ID, FromAt: q.from.At, FromID: q.from.ID, MaxRows: q.rows, Outcome: q.outcome,
	})
}

// rarestFirst sorts words by how many records have them, so that the search
// goes along the fewest.
func (r *Repository) rarestFirst(ctx context.Context, tx uow.Tx, words []string) error {
	if len(words) < 2 {
		return nil
	}
	rows, err := r.q.WordCounts(ctx, pg.DB(tx), words)
	if err != nil {
		return err
	}
	counts := make(map[string]int64, len(rows))
	for _, row := range rows {
		counts[row.Word] = row.N
	}
	slices.SortStableFunc(words, func(a, b string) int { return cmp.Compare(counts[a], counts[b]) })
	return nil
}

// given is nil for a filter that is not set.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
