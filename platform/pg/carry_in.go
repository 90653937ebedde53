package pg

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg/catalog"
	"github.com/insulahq/insula/platform/uow"
)

// Prepare makes an empty schema of a version, and its role, and returns its
// tables. What there is under the name goes first. Each of also runs in the
// same transaction: there is no schema when it refuses.
func (c *Carrier) Prepare(ctx context.Context, schema string, version int64, also ...func(tx uow.Tx) error) ([]Table, error) {
	dir, ok := c.m.tenant.Until(text(version))
	if !ok {
		return nil, fmt.Errorf("%w %d", ErrUnknownVersion, version)
	}
	if err := c.Remove(ctx, schema); err != nil {
		return nil, err
	}
	err := c.inOwner(ctx, func(tx pgx.Tx, owner *ownerTx) error {
		for _, f := range also {
			if err := f(owner); err != nil {
				return err
			}
		}
		if err := makeSchema(ctx, tx, schema, c.m.roles); err != nil {
			return err
		}
		_, err := dir.Apply(ctx, tx, schema)
		return err
	})
	if err != nil {
		return nil, err
	}
	return tablesIn(ctx, c.m.pool, schema)
}

// Complete brings a filled schema to the newest version and gives its role its
// rights; also runs in the same transaction, with the schema set.
func (c *Carrier) Complete(ctx context.Context, schema string, also func(tx uow.Tx) error) error {
	return c.inOwner(ctx, func(tx pgx.Tx, owner *ownerTx) error {
		if _, err := c.m.tenant.Apply(ctx, tx, schema); err != nil {
			return err
		}
		if err := grantTenant(ctx, tx, schema, c.m.roles); err != nil {
			return err
		}
		if err := setSearchPath(ctx, tx, schema); err != nil {
			return err
		}
		return also(owner)
	})
}

// Upgrade brings a schema that is in use to the newest version.
func (c *Carrier) Upgrade(ctx context.Context, schema string) error {
	_, err := c.m.UpgradeTenant(ctx, schema, nil)
	return Translate(err, nil, nil)
}

// inOwner runs fn in a transaction with the owner's rights.
func (c *Carrier) inOwner(ctx context.Context, fn func(tx pgx.Tx, owner *ownerTx) error) error {
	return Translate(owned(ctx, c.m.pool, fn), nil, nil)
}

// owned runs fn in a transaction with the owner's rights. What went wrong is
// told as it is.
func owned(ctx context.Context, db catalog.Beginner, fn func(tx pgx.Tx, owner *ownerTx) error) error {
	owner := &ownerTx{}
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		owner.tx = tx
		return fn(tx, owner)
	})
	if err == nil {
		owner.committed(ctx)
	}
	return err
}
