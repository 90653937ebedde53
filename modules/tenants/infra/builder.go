package infra

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/modules/tenants/infra/internal/tenantsdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Builder implements domain.Builder with the migrator's rights.
type Builder struct {
	migrator *pg.Migrator
	pool     *pg.Pool
	dir      *Directory
}

// NewBuilder makes the builder of a process.
func NewBuilder(m *pg.Migrator, pool *pg.Pool, dir *Directory) *Builder {
	return &Builder{migrator: m, pool: pool, dir: dir}
}

// Unit implements domain.Builder.
func (b *Builder) Unit(t domain.Tenant, claim func(context.Context, uow.Tx) (bool, error)) uow.Unit {
	return &building{Builder: b, tenant: t, claim: claim}
}

// building is the unit of work that makes a schema. What fails in it is
// recorded in the landlord's trail: the tenant has none yet.
type building struct {
	*Builder
	tenant domain.Tenant
	claim  func(context.Context, uow.Tx) (bool, error)
}

func (b *building) Read(context.Context, func(uow.Tx) error) error {
	return errors.New("a schema that is being made cannot be read yet")
}

func (b *building) Write(ctx context.Context, fn func(uow.Tx) error) error {
	err := b.migrator.Provision(ctx, pg.Provisioning{
		Schema:   b.tenant.Schema,
		Landlord: b.tenant.Kind == tenancy.Landlord,
		Claim:    func(tx uow.Tx) (bool, error) { return b.claim(ctx, tx) },
		Seed:     fn,
	})
	return pg.Translate(err, nil, rules)
}

func (b *building) Record(ctx context.Context, fn func(uow.Tx) error) error {
	landlord, err := b.dir.Landlord(ctx)
	if err != nil {
		return err
	}
	return b.pool.Tenant(landlord.Tenant).Record(ctx, fn)
}

// Ledger keeps the state of long work with the migrator's rights, for jobs.
type Ledger struct {
	migrator *pg.Migrator
	repo     *Repository
	q        *tenantsdb.Queries
}

// NewLedger makes the ledger of a process.
func NewLedger(m *pg.Migrator, repo *Repository) *Ledger {
	return &Ledger{migrator: m, repo: repo, q: tenantsdb.New()}
}

// Pending lists the tenants whose creation is unfinished.
func (l *Ledger) Pending(ctx context.Context) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	err := l.migrator.Control().Read(ctx, func(tx uow.Tx) (err error) {
		ids, err = l.q.UnfinishedTenants(ctx, pg.DB(tx))
		return pg.Translate(err, nil, nil)
	})
	return ids, err
}

// Tenant reads a registry entry.
func (l *Ledger) Tenant(ctx context.Context, id uuid.UUID) (t domain.Tenant, err error) {
	err = l.migrator.Control().Read(ctx, func(tx uow.Tx) (err error) {
		t, err = l.repo.Get(ctx, tx, id)
		return err
	})
	return t, err
}

// Progress updates the running work of a kind on a tenant.
func (l *Ledger) Progress(ctx context.Context, o domain.Operation) error {
	return l.migrator.Control().Write(ctx, func(tx uow.Tx) error { return l.repo.Progress(ctx, tx, o) })
}
