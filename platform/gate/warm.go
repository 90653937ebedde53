package gate

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Warm reads in a tenant what letting somebody in reads, for nobody. What is
// learned of the tenant by the way, its settings and its policy, is remembered.
func (g *Gate) Warm(ctx context.Context, tx uow.Tx, t tenancy.Tenant) error {
	if err := g.settings.Refresh(ctx, tx, t); err != nil {
		return err
	}
	if _, err := g.sessions.Session(ctx, tx, t, uuid.Nil); err != nil && !errors.Is(err, errs.ErrUnauthenticated) {
		return err
	}
	_, err := g.resolver.Grants(ctx, tx, t, uuid.Nil, 0)
	return err
}
