package infra

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Begin implements domain.Repository.
func (r *Repository) Begin(ctx context.Context, tx uow.Tx, o domain.Operation) error {
	return pg.Translate(r.q.InsertOperation(ctx, pg.DB(tx), tenantsdb.InsertOperationParams{
		ID: o.ID, Kind: o.Kind, TenantID: o.TenantID, Status: string(o.Status), Progress: int32(o.Progress),
		ErrorCode: o.ErrorCode, ErrorDetail: o.ErrorDetail, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
	}), nil, nil)
}

// Operation implements domain.Repository.
func (r *Repository) Operation(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.Operation, error) {
	row, err := r.q.GetOperation(ctx, pg.DB(tx), id)
	if err != nil {
		return domain.Operation{}, pg.Translate(err, domain.ErrNoOperation, nil)
	}
	o := domain.Operation{
		ID: row.ID, Kind: row.Kind, TenantID: row.TenantID, Status: domain.OperationStatus(row.Status),
		Progress: int(row.Progress), ErrorCode: row.ErrorCode, ErrorDetail: row.ErrorDetail,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	if row.Result == nil {
		return o, nil
	}
	if err := json.Unmarshal(row.Result, &o.Moved); err != nil {
		return o, fmt.Errorf("result of operation %s: %w", id, err)
	}
	return o, nil
}

// Progress implements domain.Repository.
func (r *Repository) Progress(ctx context.Context, tx uow.Tx, o domain.Operation) error {
	return pg.Translate(r.q.UpdateOperation(ctx, pg.DB(tx), tenantsdb.UpdateOperationParams{
		TenantID: o.TenantID, Kind: o.Kind, Status: string(o.Status), Progress: int32(o.Progress),
		ErrorCode: o.ErrorCode, ErrorDetail: o.ErrorDetail, UpdatedAt: o.UpdatedAt,
	}), nil, nil)
}
