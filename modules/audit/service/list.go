package service

import (
	"context"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// List is the declaration of searching the trail.
var List = op.Read("audit.events.list", "Search the audit trail.", op.Recorded, op.About("audit_event"))

// List pages through the events that a spec finds, the newest first.
func (s *Audit) List(ctx context.Context, spec domain.Spec, p page.Request) (page.Page[domain.Event], error) {
	return op.Do(ctx, s.run, List, func(tx uow.Tx) (page.Page[domain.Event], error) {
		return s.events.List(ctx, tx, spec, p)
	})
}
