package pg

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/uow"
)

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
