package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// Delete and Undelete end a tenant and take that back.
var (
	Delete   = op.Write("tenants.delete", "Delete a tenant; until its grace is over it can be brought back.", op.Landlord, op.About("tenant"))
	Undelete = op.Write("tenants.undelete", "Bring a deleted tenant back as it was.", op.Landlord, op.About("tenant"))
)

// Deleted is a tenant that was deleted.
type Deleted struct {
	Tenant     domain.Tenant
	EraseAfter time.Time // when its grace is over
}

// Grace is how long a deleted tenant can be brought back.
type Grace time.Duration

// Delete takes a tenant away from everybody, on every node at its next request.
// Version is the one the caller read; zero means any.
func (s *Tenants) Delete(ctx context.Context, id uuid.UUID, version int64) (Deleted, error) {
	return op.Do(ctx, s.run, Delete.On(id.String()), func(tx uow.Tx) (out Deleted, err error) {
		out.Tenant, err = s.change(ctx, tx, Delete, id, func(t domain.Tenant, now time.Time) (domain.Tenant, error) {
			if version != 0 && version != t.Version {
				return t, errs.ErrPreconditionFailed
			}
			t, d, err := t.Delete(time.Duration(s.grace), now)
			if err != nil {
				return t, err
			}
			out.EraseAfter = d.EraseAfter
			return t, s.repo.Delete(ctx, tx, d)
		})
		return out, err
	})
}

// Undelete brings a deleted tenant back as it was.
func (s *Tenants) Undelete(ctx context.Context, id uuid.UUID) (domain.Tenant, error) {
	return op.Do(ctx, s.run, Undelete.On(id.String()), func(tx uow.Tx) (domain.Tenant, error) {
		return s.change(ctx, tx, Undelete, id, func(t domain.Tenant, now time.Time) (domain.Tenant, error) {
			d, err := s.repo.EndDeletion(ctx, tx, id)
			if err != nil {
				return t, err
			}
			return t.Undelete(d, now)
		})
	})
}
