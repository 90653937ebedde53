package tenantsmodule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra"
	"github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Erasures removes tenants in steps that each may be repeated. What there is
// of a tenant is counted before anything is removed, so that the receipt says
// the same whatever interrupted the steps after it.
type Erasures struct {
	ledger   *infra.Ledger
	tenants  *infra.Directory
	service  *service.Erasing
	houses   *pg.Placements
	database *pg.Remover // of the main placement
	objects  s3x.Blobs
	cache    *redisx.Client
	live     *tenancy.Live
	clock    clock.Clock
	log      *slog.Logger
}

// NewErasures makes what the worker does.
func NewErasures(l *infra.Ledger, d *infra.Directory, s *service.Erasing, p *pg.Placements, b s3x.Blobs, r *redisx.Client, live *tenancy.Live, c clock.Clock, log *slog.Logger) *Erasures {
	return &Erasures{ledger: l, tenants: d, service: s, houses: p, database: pg.NewRemover(p.Main()), objects: b, cache: r, live: live, clock: c, log: log}
}

// eraseEvery is how soon an erasure is taken up that somebody asked another
// process for, or that something was away for.
const eraseEvery = 15 * time.Second

func (e *Erasures) work() jobs.Work {
	return jobs.Work{Name: domain.EraseKind, Pending: e.Pending, Do: e.do, Every: eraseEvery}
}

// Pending lists the tenants whose erasure is to be taken up, after it has begun
// those of tenants whose grace is over.
func (e *Erasures) Pending(ctx context.Context) ([]uuid.UUID, error) {
	now := e.clock.Now()
	expired, err := e.ledger.Due(ctx, now)
	if err != nil {
		return nil, err
	}
	for _, id := range expired {
		if err := e.expire(ctx, id); err != nil {
			e.log.ErrorContext(ctx, "erase a tenant whose grace is over", "tenant_id", id.String(), "error", err)
		}
	}
	return e.ledger.PendingErasures(ctx, now)
}

// expire begins to erase a tenant whose grace is over.
func (e *Erasures) expire(ctx context.Context, id uuid.UUID) error {
	landlord, err := e.tenants.Landlord(ctx)
	if err != nil {
		return err
	}
	err = e.service.Expire(ctx, landlord.Tenant, id)
	if errors.Is(err, domain.ErrNotDeleted) || errors.Is(err, domain.ErrNotFound) {
		return nil // another process was first, or somebody wants the tenant back
	}
	return err
}

// do brings an erasure as far as it can be brought.
func (e *Erasures) do(ctx context.Context, id uuid.UUID) error {
	erasure, ok, err := e.ledger.Erasure(ctx, id)
	if err != nil || !ok {
		return err
	}
	if erasure.State == domain.Erased {
		return e.lookAgain(ctx, erasure)
	}
	e.live.Forget(id)
	for _, step := range []struct {
		progress int // when it begins
		do       func(context.Context, domain.Erasure) error
	}{
		{0, e.count}, {10, e.removeObjects}, {40, e.removeSchema}, {70, e.removeWork}, {80, e.removeKeys}, {90, e.conclude}, {95, e.forget},
	} {
		if err := e.ledger.Progress(ctx, e.progress(erasure, step.progress)); err != nil {
			return err
		}
		if err := step.do(ctx, erasure); err != nil {
			return errors.Join(err, e.ledger.Progress(ctx, problem(e.progress(erasure, step.progress), err)))
		}
	}
	return nil
}

// progress says how far an erasure is. The work stays open whatever becomes
// of a step: what fails is tried again.
func (e *Erasures) progress(erasure domain.Erasure, percent int) domain.Operation {
	return domain.Operation{
		TenantID: erasure.Tenant, Kind: domain.EraseKind, Status: domain.Running, Progress: percent, UpdatedAt: e.clock.Now(),
	}
}

// count finds out what there is, before anything is removed.
func (e *Erasures) count(ctx context.Context, erasure domain.Erasure) error {
	if erasure.State != domain.ErasureBegun {
		return nil
	}
	found, err := e.holdings(ctx, erasure)
	if err != nil {
		return err
	}
	return e.ledger.Counted(ctx, erasure.Tenant, found)
}

// Preview counts what erasing a tenant would remove.
func (e *Erasures) Preview(ctx context.Context, t domain.Tenant) (domain.Holdings, error) {
	return e.holdings(ctx, domain.Erasure{Tenant: t.ID, Schema: t.Schema, Placement: t.Home()})
}

func (e *Erasures) holdings(ctx context.Context, erasure domain.Erasure) (h domain.Holdings, err error) {
	house, err := e.houses.Remover(erasure.Placement)
	if err != nil {
		return h, err
	}
	rows, err := house.Holdings(ctx, erasure.Schema)
	if err != nil {
		return h, pg.Translate(err, nil, nil)
	}
	stock, err := e.objects.Stock(ctx, erasure.Tenant)
	if err != nil {
		return h, err
	}
	archives, err := e.ledger.Archives(ctx, erasure.Tenant)
	if err != nil {
		return h, err
	}
	for _, size := range archives {
		stock.Objects++
		stock.Bytes += size
	}
	entries, work, err := e.database.Traces(ctx, erasure.Tenant, remembrance(erasure))
	return domain.Holdings{
		Tables: rows.Tables, Rows: rows.Rows, DatabaseBytes: rows.Bytes, Objects: stock.Objects, ObjectBytes: stock.Bytes,
		Jobs: work, ControlRows: entries,
	}, err
}

// remembrance is what the control schema keeps: the erasure itself while it
// lasts, its operation, and the receipt.
func remembrance(erasure domain.Erasure) pg.Remembrance {
	return pg.Remembrance{Tables: []string{"erasures", "erasure_receipts", "remains"}, Operation: erasure.Operation}
}

func (e *Erasures) removeObjects(ctx context.Context, erasure domain.Erasure) error {
	archives, err := e.ledger.Archives(ctx, erasure.Tenant)
	if err != nil {
		return err
	}
	for object := range archives { // they stand beside the tenants, for they outlive one that is only deleted
		if err := e.objects.Delete(ctx, s3x.ArchiveKey(object)); err != nil {
			return err
		}
	}
	return e.objects.Purge(ctx, erasure.Tenant)
}

func (e *Erasures) removeSchema(ctx context.Context, erasure domain.Erasure) error {
	house, err := e.houses.Remover(erasure.Placement)
	if err != nil {
		return err
	}
	err = house.Drop(ctx, erasure.Schema, func(d pg.Dropped) {
		e.log.InfoContext(ctx, "erasing", "tenant_id", erasure.Tenant.String(), "tables", len(d.Tables), "locks", d.Locks)
	})
	return pg.Translate(err, nil, nil)
}

func (e *Erasures) removeWork(ctx context.Context, erasure domain.Erasure) error {
	return e.database.ForgetWork(ctx, erasure.Tenant)
}

func (e *Erasures) removeKeys(ctx context.Context, erasure domain.Erasure) error {
	if !e.cache.Configured() {
		return nil
	}
	return e.cache.Forget(ctx, redisx.Tenant(erasure.Tenant))
}

// conclude has the receipt signed, once, and not while rows of the tenant are
// left anywhere. What was counted is read anew: when two processes counted, the
// first count stands.
func (e *Erasures) conclude(ctx context.Context, erasure domain.Erasure) error {
	done, err := e.ledger.Concluded(ctx, erasure.Tenant)
	if err != nil || done {
		return err
	}
	left, err := e.ledger.Remains(ctx, erasure.Tenant)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return domain.ErrRemains.Because(fmt.Errorf("in %s", strings.Join(left, ", ")))
	}
	counted, ok, err := e.ledger.Erasure(ctx, erasure.Tenant)
	if err != nil || !ok {
		return err
	}
	landlord, err := e.tenants.Landlord(ctx)
	if err != nil {
		return err
	}
	return e.service.Conclude(ctx, landlord.Tenant, counted)
}

// forget removes the entries of the tenant, that of the placement which housed
// it first: the registry says where that is.
func (e *Erasures) forget(ctx context.Context, erasure domain.Erasure) error {
	if erasure.Placement != tenancy.MainPlacement {
		house, err := e.houses.Remover(erasure.Placement)
		if err != nil {
			return err
		}
		if err := house.Forget(ctx, erasure.Tenant, remembrance(erasure), func(uow.Tx) error { return nil }); err != nil {
			return pg.Translate(err, nil, nil)
		}
	}
	return e.database.Forget(ctx, erasure.Tenant, remembrance(erasure), func(tx uow.Tx) error {
		return e.ledger.Finish(ctx, tx, erasure, e.clock.Now())
	})
}

// lookAgain removes objects that came by a link that was handed out before.
func (e *Erasures) lookAgain(ctx context.Context, erasure domain.Erasure) error {
	if e.clock.Now().Before(erasure.LookAgain) {
		return nil
	}
	if err := e.objects.Purge(ctx, erasure.Tenant); err != nil {
		return err
	}
	return e.ledger.Over(ctx, erasure.Tenant)
}

// problem says in an operation why its last try failed.
func problem(o domain.Operation, cause error) domain.Operation {
	e, ok := errs.As(cause)
	switch {
	case errors.Is(cause, s3x.ErrUnavailable), errors.Is(cause, redisx.ErrAway):
		e = errs.ErrUnavailable
	case !ok:
		e = errs.ErrInternal
	}
	o.ErrorCode, o.ErrorDetail = e.Code, e.Detail
	return o
}
