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

// Replace puts a complete schema in the place of another of the same version:
// the tables whose rows last move over with them, and also, which runs in the
// same transaction, has the registry name the new schema. Units of work that
// are under way in the old one end first, or begin again in the new one.
func (c *Carrier) Replace(ctx context.Context, from, to string, also func(tx uow.Tx) error) error {
	return c.inOwner(ctx, func(tx pgx.Tx, owner *ownerTx) error {
		if err := c.current(ctx, tx, from, to); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '10s'"); err != nil {
			return err
		}
		tables, err := tablesIn(ctx, tx, to)
		if err != nil {
			return err
		}
		var statements []string
		for _, t := range tables {
			if !t.Lasting {
				continue
			}
			statements = append(statements,
				"DROP TABLE "+pgx.Identifier{to, t.Name}.Sanitize(),
				"ALTER TABLE "+pgx.Identifier{from, t.Name}.Sanitize()+" SET SCHEMA "+ident(to),
				"REVOKE ALL ON "+pgx.Identifier{to, t.Name}.Sanitize()+" FROM "+ident(c.m.roles.of(from)))
		}
		if err := execAll(ctx, tx, statements); err != nil {
			return err
		}
		if err := grantTenant(ctx, tx, to, c.m.roles); err != nil {
			return err
		}
		return also(owner)
	})
}

// current keeps schemas at the version that this process brings them to until
// the end of the transaction. A process of a newer release may have migrated
// one of them, whose tables would not fit the other any more: migrate.ErrNewer.
func (c *Carrier) current(ctx context.Context, tx pgx.Tx, schemas ...string) error {
	for _, schema := range schemas {
		if _, err := c.m.tenant.Apply(ctx, tx, schema); err != nil { // which takes the lock of the schema's migrations
			return err
		}
	}
	return nil
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
