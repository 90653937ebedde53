package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Get is the declaration of showing one event.
var Get = op.Read("audit.events.get", "Show one event of the audit trail.", op.Recorded, op.About("audit_event"))

// Get shows one event.
func (s *Audit) Get(ctx context.Context, id uuid.UUID) (domain.Event, error) {
	return op.Do(ctx, s.run, Get.On(id.String()), func(tx uow.Tx) (domain.Event, error) {
		return s.events.Get(ctx, tx, id)
	})
}
