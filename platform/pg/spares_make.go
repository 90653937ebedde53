package pg

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
)

// build makes a bare spare: schema and tables.
func (m *Migrator) build(ctx context.Context, schema string) error {
	return pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		err := pgdb.New().AddSpare(ctx, tx, pgdb.AddSpareParams{
			SchemaName: schema, SchemaVersion: m.TenantVersion(), Migrations: m.tenant.Hash(), OwnRole: m.ownRole(),
		})
		if err != nil {
			return err
		}
		if err := execAll(ctx, tx, []string{"CREATE SCHEMA " + ident(schema)}); err != nil {
			return err
		}
		_, err = m.tenant.Apply(ctx, tx, schema)
		return err
	})
}

// furnish gives all bare spares their roles and rights.
func (m *Migrator) furnish(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		bare, err := pgdb.New().FurnishSpares(ctx, tx, m.tenant.Hash(), m.ownRole())
		if err != nil {
			return err
		}
		for _, schema := range bare {
			if err := makeRole(ctx, tx, schema, m.roles); err != nil {
				return err
			}
			if err := grantTenant(ctx, tx, schema, m.roles); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("furnish spare schemas: %w", err)
	}
	return nil
}
