package infra

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra/internal/auditdb"
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
