package pg

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/uow"
)

// Unit is the unit of work that makes a schema: what runs in its Write seeds
// the new schema, in the transaction that makes it.
func (m *Migrator) Unit(p Provisioning) uow.Unit { return &provisioningUnit{migrator: m, what: p} }

type provisioningUnit struct {
	migrator *Migrator
	what     Provisioning
}

func (u *provisioningUnit) Read(context.Context, func(uow.Tx) error) error {
	return errors.New("a schema that is being made cannot be read yet")
}

func (u *provisioningUnit) Look(ctx context.Context, fn func(uow.Tx) error) error {
	return u.Read(ctx, fn)
}

func (u *provisioningUnit) Write(ctx context.Context, fn func(uow.Tx) error) error {
	return Translate(u.migrator.Provision(ctx, u.what, fn), nil, nil)
}

func (u *provisioningUnit) Record(ctx context.Context, fn func(uow.Tx) error) error {
	schema, err := u.what.Witness(ctx)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, u.migrator.pool, func(tx pgx.Tx) error {
		if err := setSearchPath(ctx, tx, schema); err != nil {
			return err
		}
		return fn(&ownerTx{tx: tx})
	})
}
