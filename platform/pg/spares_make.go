package pg

import (
	"context"
	"errors"
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

// furnish gives all bare spares of a stock their roles and rights. Where
// somebody has spoilt one all of them go.
func (m *Migrator) furnish(ctx context.Context, all []Spare) error {
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
	if err == nil {
		return nil
	}
	failed := []error{fmt.Errorf("furnish spare schemas: %w", err)}
	for _, s := range all {
		if s.State == SpareBare && spoilt(err) {
			failed = append(failed, m.discard(ctx, s))
		}
	}
	return errors.Join(failed...)
}
