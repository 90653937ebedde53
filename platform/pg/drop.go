package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Drop removes a tenant's schema and role, and with them all its rows. It is
// for throw-away tenants: a schema of many tables wants to be dropped in
// batches.
func (m *Migrator) Drop(ctx context.Context, schema string) error {
	return pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		return execAll(ctx, tx, []string{
			"DROP SCHEMA IF EXISTS " + ident(schema) + " CASCADE",
			"DROP ROLE " + ident(schema),
		})
	})
}
