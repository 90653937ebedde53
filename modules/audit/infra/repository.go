package infra

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra/internal/auditdb"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Repository implements domain.Repository.
type Repository struct{ q *auditdb.Queries }

// NewRepository makes a repository.
func NewRepository() *Repository { return &Repository{q: auditdb.New()} }

// Get implements domain.Repository.
func (r *Repository) Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.Event, error) {
	row, err := r.q.GetEvent(ctx, pg.DB(tx), id)
	if err != nil {
		return domain.Event{}, pg.Translate(err, domain.ErrNotFound, nil)
	}
	return toEvent(row), nil
}

// List implements domain.Repository.
func (r *Repository) List(ctx context.Context, tx uow.Tx, s domain.Spec, p page.Request) (page.Page[domain.Event], error) {
	rows, err := r.q.ListEvents(ctx, pg.DB(tx), paramsOf(s.Tidy(), p))
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

func paramsOf(s domain.Spec, p page.Request) auditdb.ListEventsParams {
	after := p.From()
	params := auditdb.ListEventsParams{
		AfterAt: after.At, AfterID: after.ID, MaxRows: int32(p.Limit) + 1,
		FromAt: s.From, ToAt: endOf(s.To),
		ActorID: s.Actor, TargetKind: given(s.TargetKind), TargetID: given(s.TargetID),
		Outcome: given(s.Outcome), RequestID: given(s.RequestID),
	}
	if prefix, ok := s.OperationPrefix(); ok {
		params.OperationPrefix = &prefix
	} else {
		params.Operation = given(s.Operation)
	}
	return params
}

// endOf is the end of the span of time; after all events when none is given.
func endOf(to time.Time) time.Time {
	if to.IsZero() {
		return page.Start.At
	}
	return to
}

// given is nil for a filter that is not set.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func toEvent(r auditdb.AuditEvent) domain.Event {
	return domain.Event{
		ID: r.ID, At: r.At, Operation: r.Operation, Outcome: r.Outcome, Code: r.Code, Rule: r.Rule,
		Actor:     domain.Actor{Kind: r.ActorKind, ID: r.ActorID, Label: r.ActorLabel},
		SessionID: r.SessionID,
		Target:    domain.Target{Kind: r.TargetKind, ID: r.TargetID, Label: r.TargetLabel},
		Before:    r.Before, After: r.After,
		RequestID: r.RequestID, Address: r.Address, Client: r.Client,
	}
}
