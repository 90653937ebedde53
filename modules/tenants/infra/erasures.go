package infra

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// BeginErasure implements domain.Repository.
func (r *Repository) BeginErasure(ctx context.Context, tx uow.Tx, e domain.Erasure) error {
	return pg.Translate(r.q.InsertErasure(ctx, pg.DB(tx), tenantsdb.InsertErasureParams{
		TenantID: e.Tenant, OperationID: e.Operation, Slug: e.Slug, SchemaName: e.Schema, Placement: e.Placement, BegunAt: e.BegunAt,
	}), nil, nil)
}

// KeepReceipt implements domain.Repository.
func (r *Repository) KeepReceipt(ctx context.Context, tx uow.Tx, s domain.SignedReceipt) (bool, error) {
	n, err := r.q.InsertReceipt(ctx, pg.DB(tx), tenantsdb.InsertReceiptParams{
		TenantID: s.Tenant, Slug: s.Slug, ErasedAt: s.ErasedAt, Receipt: s.Note,
	})
	return n > 0, pg.Translate(err, nil, nil)
}

// Receipt implements domain.Repository.
func (r *Repository) Receipt(ctx context.Context, tx uow.Tx, tenant uuid.UUID) (string, error) {
	row, err := r.q.GetReceipt(ctx, pg.DB(tx), tenant)
	return row.Receipt, pg.Translate(err, domain.ErrNoReceipt, nil)
}

// Concluded reports whether there is a receipt of a tenant.
func (l *Ledger) Concluded(ctx context.Context, tenant uuid.UUID) (bool, error) {
	err := l.control().Read(ctx, func(tx uow.Tx) error {
		_, err := l.repo.Receipt(ctx, tx, tenant)
		return err
	})
	if errors.Is(err, domain.ErrNoReceipt) {
		return false, nil
	}
	return err == nil, err
}

// PendingErasures lists the tenants whose erasure is under way, or whose
// objects are to be looked at once more.
func (l *Ledger) PendingErasures(ctx context.Context, now time.Time) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	err := l.control().Read(ctx, func(tx uow.Tx) (err error) {
		ids, err = l.q.PendingErasures(ctx, pg.DB(tx), &now)
		return pg.Translate(err, nil, nil)
	})
	return ids, err
}

// Erasure finds the erasure of a tenant; ok is false when there is none.
func (l *Ledger) Erasure(ctx context.Context, tenant uuid.UUID) (e domain.Erasure, ok bool, err error) {
	err = l.control().Read(ctx, func(tx uow.Tx) error {
		row, err := l.q.GetErasure(ctx, pg.DB(tx), tenant)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return pg.Translate(err, nil, nil)
		}
		e, ok = toErasure(row), true
		return nil
	})
	return e, ok, err
}

// Archives lists the archives of a tenant with their sizes in bytes.
func (l *Ledger) Archives(ctx context.Context, tenant uuid.UUID) (map[uuid.UUID]int64, error) {
	archives := map[uuid.UUID]int64{}
	err := l.control().Read(ctx, func(tx uow.Tx) error {
		rows, err := l.q.TenantArchives(ctx, pg.DB(tx), tenant)
		for _, row := range rows {
			archives[row.ObjectID] = row.Size
		}
		return pg.Translate(err, nil, nil)
	})
	return archives, err
}

// Counted keeps what a tenant holds. A count that is there already stays: what
// is counted later may be less.
func (l *Ledger) Counted(ctx context.Context, tenant uuid.UUID, h domain.Holdings) error {
	return l.control().Write(ctx, func(tx uow.Tx) error {
		return pg.Translate(l.q.CountErasure(ctx, pg.DB(tx), tenantsdb.CountErasureParams{
			TenantID: tenant, Tables: h.Tables, RowCount: h.Rows, DatabaseBytes: h.DatabaseBytes, Objects: h.Objects,
			ObjectBytes: h.ObjectBytes, Jobs: h.Jobs, ControlRows: h.ControlRows,
		}), nil, nil)
	})
}

// Finish ends an erasure in the transaction that forgets its tenant.
func (l *Ledger) Finish(ctx context.Context, tx uow.Tx, e domain.Erasure, now time.Time) error {
	again := now.Add(domain.LateObjects)
	if err := l.q.FinishErasure(ctx, pg.DB(tx), &again, e.Tenant); err != nil {
		return pg.Translate(err, nil, nil)
	}
	return l.repo.Progress(ctx, tx, domain.Operation{
		TenantID: e.Tenant, Kind: domain.EraseKind, Status: domain.Succeeded, Progress: 100, UpdatedAt: now,
	})
}

// Over removes an erasure whose objects were looked at once more.
func (l *Ledger) Over(ctx context.Context, tenant uuid.UUID) error {
	return l.control().Write(ctx, func(tx uow.Tx) error {
		return pg.Translate(l.q.DeleteErasure(ctx, pg.DB(tx), tenant), nil, nil)
	})
}

func toErasure(row tenantsdb.ControlErasure) domain.Erasure {
	return domain.Erasure{
		Tenant: row.TenantID, Operation: row.OperationID, Slug: row.Slug, Schema: row.SchemaName, Placement: row.Placement,
		State: domain.ErasureState(row.State), BegunAt: row.BegunAt, LookAgain: orZero(row.LookAgainAt),
		Holdings: domain.Holdings{
			Tables: row.Tables, Rows: row.RowCount, DatabaseBytes: row.DatabaseBytes, Objects: row.Objects,
			ObjectBytes: row.ObjectBytes, Jobs: row.Jobs, ControlRows: row.ControlRows,
		},
	}
}
