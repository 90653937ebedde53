package infra

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// OwnerControl opens units of work for the control schema with its owner's
// rights.
type OwnerControl func() pg.ControlUnit

// Ledger keeps the state of long work with the migrator's rights, for jobs.
type Ledger struct {
	control OwnerControl
	repo    *Repository
	q       *tenantsdb.Queries
}

// NewLedger makes the ledger of a process.
func NewLedger(control OwnerControl, repo *Repository) *Ledger {
	return &Ledger{control: control, repo: repo, q: tenantsdb.New()}
}

// Pending lists the tenants whose creation began before an instant and is
// unfinished.
func (l *Ledger) Pending(ctx context.Context, before time.Time) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	err := l.control().Read(ctx, func(tx uow.Tx) (err error) {
		ids, err = l.q.UnfinishedTenants(ctx, pg.DB(tx), before)
		return pg.Translate(err, nil, nil)
	})
	return ids, err
}

// Unfinished reports whether the creation of a tenant has not ended.
func (l *Ledger) Unfinished(ctx context.Context, id uuid.UUID) (unfinished bool, err error) {
	err = l.control().Read(ctx, func(tx uow.Tx) (err error) {
		unfinished, err = l.q.TenantUnfinished(ctx, pg.DB(tx), id)
		return pg.Translate(err, nil, nil)
	})
	return unfinished, err
}

// Remains names the placements in which moves that were given up have left rows
// of a tenant.
func (l *Ledger) Remains(ctx context.Context, id uuid.UUID) (placements []string, err error) {
	err = l.control().Read(ctx, func(tx uow.Tx) (err error) {
		placements, err = l.q.RemainsOf(ctx, pg.DB(tx), id)
		return pg.Translate(err, nil, nil)
	})
	return placements, err
}

// Tenant reads a registry entry.
func (l *Ledger) Tenant(ctx context.Context, id uuid.UUID) (t domain.Tenant, err error) {
	err = l.control().Read(ctx, func(tx uow.Tx) (err error) {
		t, err = l.repo.Get(ctx, tx, id)
		return err
	})
	return t, err
}

// TenantBySlug reads a registry entry, whatever its status.
func (l *Ledger) TenantBySlug(ctx context.Context, slug string) (t domain.Tenant, err error) {
	err = l.control().Read(ctx, func(tx uow.Tx) error {
		row, err := l.q.GetTenantBySlug(ctx, pg.DB(tx), slug)
		t = toTenant(row)
		return pg.Translate(err, domain.ErrNotFound, nil)
	})
	return t, err
}

// Progress updates the running work of a kind on a tenant.
func (l *Ledger) Progress(ctx context.Context, o domain.Operation) error {
	return l.control().Write(ctx, func(tx uow.Tx) error { return l.repo.Progress(ctx, tx, o) })
}

// Abandon ends the creation of a tenant that cannot be made, and takes its
// registration back.
func (l *Ledger) Abandon(ctx context.Context, o domain.Operation) error {
	return l.control().Write(ctx, func(tx uow.Tx) error {
		if err := l.repo.Progress(ctx, tx, o); err != nil {
			return err
		}
		return l.q.ForgetTenant(ctx, pg.DB(tx), o.TenantID)
	})
}

// Close ends the creation of a tenant as successful.
func (l *Ledger) Close(ctx context.Context, tenant uuid.UUID, now time.Time) error {
	return l.Progress(ctx, domain.Operation{
		TenantID: tenant, Kind: domain.CreateKind, Status: domain.Succeeded, Progress: 100, UpdatedAt: now,
	})
}
