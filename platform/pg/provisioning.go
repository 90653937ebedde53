package pg

import (
	"cmp"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/uow"
)

// Provisioning says how to make a tenant's schema.
type Provisioning struct {
	Schema   string // its schema and its role
	Landlord bool   // its role may change the registry
	// Spare lets it take a schema out of the stock instead, whose name the
	// registry then has.
	Spare bool
	// Claim runs first; false means that there is nothing left to do.
	Claim func(ctx context.Context, tx uow.Tx) (bool, error)
	// Witness names the schema whose trail hears of a failure: the new one is
	// not there then.
	Witness func(ctx context.Context) (schema string, err error)
}

// Provision makes role, schema, tables, rights and, with seed, first rows in
// one transaction: after a crash the tenant is complete or was never begun.
// Where a spare is not what it should be, it tries once more without: one that
// somebody has spoilt keeps no tenant from being made.
func (m *Migrator) Provision(ctx context.Context, p Provisioning, seed func(tx uow.Tx) error) error {
	spare, err := m.provision(ctx, p, seed)
	if spare == "" || !spoilt(err) {
		return err
	}
	p.Spare = false
	if _, err := m.provision(ctx, p, seed); err != nil {
		return err // the spare is not to blame
	}
	return m.reject(ctx, spare)
}

// provision returns the spare that it took, also when it failed with it.
func (m *Migrator) provision(ctx context.Context, p Provisioning, seed func(tx uow.Tx) error) (spare string, err error) {
	err = pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		owner := &ownerTx{tx: tx}
		if ok, err := p.Claim(ctx, owner); err != nil || !ok {
			return err
		}
		if p.Spare {
			if spare, err = m.take(ctx, tx, p.Schema); err != nil {
				return err
			}
		}
		if spare == "" {
			if err := m.makeTenant(ctx, tx, p.Schema); err != nil {
				return err
			}
		}
		if err := m.letIn(ctx, tx, cmp.Or(spare, p.Schema), p.Landlord); err != nil {
			return err
		}
		return seed(owner)
	})
	return spare, err
}

// makeTenant makes a schema of the newest version, with its role.
func (m *Migrator) makeTenant(ctx context.Context, tx pgx.Tx, schema string) error {
	if err := makeSchema(ctx, tx, schema, m.roles); err != nil {
		return err
	}
	if _, err := m.tenant.Apply(ctx, tx, schema); err != nil {
		return err
	}
	return pgdb.New().SetSchemaVersion(ctx, tx, m.TenantVersion(), schema)
}

// letIn gives the rights in a schema, to a spare those that it lacks, and goes
// there.
func (m *Migrator) letIn(ctx context.Context, tx pgx.Tx, schema string, landlord bool) error {
	if err := grantTenant(ctx, tx, schema, m.roles); err != nil {
		return err
	}
	if landlord {
		if err := grantLandlord(ctx, tx, schema, m.roles); err != nil {
			return err
		}
	}
	return setSearchPath(ctx, tx, schema)
}

// NewProvisioningUnit is the unit of work that makes a schema in a placement:
// what runs in its Write seeds the new schema, in the transaction that makes it.
// Its Record is in the main placement, which houses the landlord.
func NewProvisioningUnit(p *Placements, placement string, what Provisioning) uow.Unit {
	return &provisioningUnit{all: p, placement: placement, what: what}
}

type provisioningUnit struct {
	all       *Placements
	placement string
	what      Provisioning
}

func (u *provisioningUnit) Read(context.Context, func(uow.Tx) error) error {
	return errors.New("a schema that is being made cannot be read yet")
}

func (u *provisioningUnit) Look(ctx context.Context, fn func(uow.Tx) error) error {
	return u.Read(ctx, fn)
}

func (u *provisioningUnit) Write(ctx context.Context, fn func(uow.Tx) error) error {
	m, err := u.all.Of(u.placement)
	if err != nil {
		return err
	}
	return Translate(m.Provision(ctx, u.what, fn), nil, nil)
}

func (u *provisioningUnit) Record(ctx context.Context, fn func(uow.Tx) error) error {
	schema, err := u.what.Witness(ctx)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, u.all.Main().pool, func(tx pgx.Tx) error {
		if err := setSearchPath(ctx, tx, schema); err != nil {
			return err
		}
		return fn(&ownerTx{tx: tx})
	})
}
