package infra

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Delete implements domain.Repository.
func (r *Repository) Delete(ctx context.Context, tx uow.Tx, d domain.Deletion) error {
	return pg.Translate(r.q.InsertDeletion(ctx, pg.DB(tx), tenantsdb.InsertDeletionParams{
		TenantID: d.TenantID, Was: string(d.Was), DeletedAt: d.DeletedAt, EraseAfter: d.EraseAfter,
	}), nil, nil)
}

// EndDeletion implements domain.Repository.
func (r *Repository) EndDeletion(ctx context.Context, tx uow.Tx, tenant uuid.UUID) (domain.Deletion, error) {
	row, err := r.q.EndDeletion(ctx, pg.DB(tx), tenant)
	if err != nil {
		return domain.Deletion{}, pg.Translate(err, domain.ErrStatus, nil)
	}
	return domain.Deletion{TenantID: row.TenantID, Was: tenancy.Status(row.Was), DeletedAt: row.DeletedAt, EraseAfter: row.EraseAfter}, nil
}

// Due lists deleted tenants whose grace is over: they may be erased.
func (l *Ledger) Due(ctx context.Context, now time.Time) (ids []uuid.UUID, err error) {
	err = l.control().Read(ctx, func(tx uow.Tx) (err error) {
		ids, err = l.q.DueDeletions(ctx, pg.DB(tx), now)
		return pg.Translate(err, nil, nil)
	})
	return ids, err
}
