package service

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Erase, GetReceipt, Expire and Conclude are the end of a tenant.
var (
	Erase      = op.Write("tenants.erase", "Erase a deleted tenant for good, before its grace is over.", op.Landlord, op.About("tenant"))
	GetReceipt = op.Read("tenants.receipts.get", "See the receipt of an erased tenant.", op.Landlord, op.About("tenant"))
	Expire     = op.Job("tenants.expire", "Begin to erase a deleted tenant whose grace is over.", op.About("tenant"))
	Conclude   = op.Job("tenants.conclude", "Sign and keep the receipt of an erased tenant.", op.About("tenant"))
)

// Erase begins to erase a deleted tenant: from here on it cannot be brought
// back. Slug must be the tenant's. What it returns tells how the work goes on.
func (s *Tenants) Erase(ctx context.Context, id uuid.UUID, slug string) (domain.Operation, error) {
	return op.Do(ctx, s.run, Erase.On(id.String()), func(tx uow.Tx) (domain.Operation, error) {
		tx.AfterCommit(func(context.Context) { s.live.Forget(id) })
		now := s.clock.Now()
		return beginErasure(ctx, tx, s.repo, id, s.ids.New(), now, func(t domain.Tenant, _ domain.Deletion) (domain.Tenant, error) {
			return t.Erase(slug, now)
		})
	})
}

// beginErasure applies a rule to a tenant and adds its erasure, with the
// operation that tells how that goes.
func beginErasure(ctx context.Context, tx uow.Tx, repo domain.Repository, id, operation uuid.UUID, now time.Time, rule func(domain.Tenant, domain.Deletion) (domain.Tenant, error)) (domain.Operation, error) {
	before, err := repo.Lock(ctx, tx, id)
	if err != nil {
		return domain.Operation{}, err
	}
	tx.Trail().On("tenant", id.String(), before.Slug)
	copies, err := repo.Copying(ctx, tx, id)
	if err == nil && len(copies) > 0 {
		err = domain.ErrBusy // an archive may be on its way into the store
	}
	if err != nil {
		return domain.Operation{}, err
	}
	deletion, err := repo.EndDeletion(ctx, tx, id)
	if err != nil && !errors.Is(err, domain.ErrStatus) {
		return domain.Operation{}, err
	}
	after, err := rule(before, deletion) // which refuses a tenant that is not deleted
	if err != nil {
		return domain.Operation{}, err
	}
	tx.Trail().Changed(before.View(), after.View())
	if _, err := repo.Update(ctx, tx, after); err != nil {
		return domain.Operation{}, err
	}
	work := domain.Operation{
		ID: operation, Kind: domain.EraseKind, TenantID: id, Status: domain.Running, CreatedAt: now, UpdatedAt: now,
	}
	if err := repo.Begin(ctx, tx, work); err != nil {
		return domain.Operation{}, err
	}
	return work, repo.BeginErasure(ctx, tx, domain.Erasure{
		Tenant: id, Operation: operation, Slug: after.Slug, Schema: after.Schema, Placement: after.Home(), BegunAt: now,
	})
}

// Receipt shows the signed receipt of an erased tenant.
func (s *Tenants) Receipt(ctx context.Context, id uuid.UUID) (domain.SignedReceipt, error) {
	return op.Do(ctx, s.run, GetReceipt.On(id.String()), func(tx uow.Tx) (domain.SignedReceipt, error) {
		note, err := s.repo.Receipt(ctx, tx, id)
		if err != nil {
			return domain.SignedReceipt{}, err
		}
		return domain.OpenReceipt(note, s.receipts.Public())
	})
}

// Erasing is what background work does about erasures in the operator's name.
type Erasing struct {
	jobs     *op.Jobs
	repo     domain.Repository
	receipts domain.ReceiptKey
	clock    clock.Clock
	ids      id.Source
}

// NewErasing makes the service of a process.
func NewErasing(jobs *op.Jobs, repo domain.Repository, receipts domain.ReceiptKey, c clock.Clock, ids id.Source) *Erasing {
	return &Erasing{jobs: jobs, repo: repo, receipts: receipts, clock: c, ids: ids}
}

// Expire begins to erase a deleted tenant whose grace is over;
// domain.ErrNotDeleted when somebody else has, or has brought it back.
func (s *Erasing) Expire(ctx context.Context, landlord tenancy.Tenant, tenant uuid.UUID) error {
	_, err := op.Do(ctx, s.jobs.Runner(landlord, Expire), Expire.On(tenant.String()), func(tx uow.Tx) (domain.Operation, error) {
		now := s.clock.Now()
		return beginErasure(ctx, tx, s.repo, tenant, s.ids.New(), now, func(t domain.Tenant, d domain.Deletion) (domain.Tenant, error) {
			return t.Expire(d, now)
		})
	})
	return err
}

// Conclude signs and keeps the receipt of a tenant of which nothing is left
// but its entries in the control schema. The operator's trail says the same,
// in the same transaction; domain.ErrConcluded when there is a receipt already.
func (s *Erasing) Conclude(ctx context.Context, landlord tenancy.Tenant, e domain.Erasure) error {
	_, err := op.Do(ctx, s.jobs.Runner(landlord, Conclude), Conclude.On(e.Tenant.String()), func(tx uow.Tx) (struct{}, error) {
		signed, err := s.receipts.Sign(domain.Receipt{
			Tenant: e.Tenant, Slug: e.Slug, BegunAt: e.BegunAt, ErasedAt: s.clock.Now(), Holdings: e.Holdings,
		})
		if err != nil {
			return struct{}{}, err
		}
		tx.Trail().On("tenant", e.Tenant.String(), e.Slug)
		tx.Trail().Changed(nil, e.Holdings)
		kept, err := s.repo.KeepReceipt(ctx, tx, signed)
		if err == nil && !kept {
			err = domain.ErrConcluded
		}
		return struct{}{}, err
	})
	return err
}
