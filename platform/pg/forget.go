package pg

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/uow"
)

// Remembrance is what an erased tenant leaves in the control schema: rows of
// these tables that name it stay.
type Remembrance struct {
	Tables    []string  // of the control schema, whole
	Operation uuid.UUID // the one row of control.operations that tells how the erasure went
}

// operationsTable has the one row that is remembered by its id.
const operationsTable = "operations"

// Traces counts the rows that name a tenant: those of the control schema that
// are not to be remembered, and its work in the job queue.
func (r *Remover) Traces(ctx context.Context, tenant uuid.UUID, kept Remembrance) (rows, work int64, err error) {
	tables, err := traced(ctx, r.m.pool, kept)
	if err != nil {
		return 0, 0, err
	}
	for _, t := range tables {
		var n int64
		if err := r.m.pool.QueryRow(ctx, "SELECT count(*) FROM "+t.where, t.args(tenant, kept)...).Scan(&n); err != nil {
			return 0, 0, fmt.Errorf("count rows of control.%s: %w", t.name, err)
		}
		rows += n
	}
	err = r.m.pool.QueryRow(ctx, "SELECT count(*) FROM "+tenantWork, tenant.String()).Scan(&work)
	return rows, work, err
}

// tenantWork is the work of one tenant in the job queue.
const tenantWork = QueueSchema + ".river_job WHERE args ->> 'tenant' = $1"

// forgetBatch bounds how many pieces of queued work one transaction removes.
const forgetBatch = 500

// ForgetWork removes a tenant's work from the job queue, some at a time. A
// piece that is being run is removed too: it finds no tenant any more.
func (r *Remover) ForgetWork(ctx context.Context, tenant uuid.UUID) error {
	statement := fmt.Sprintf("DELETE FROM %s.river_job WHERE id IN (SELECT id FROM %s LIMIT %d)", QueueSchema, tenantWork, forgetBatch)
	for {
		tag, err := r.m.pool.Exec(ctx, statement, tenant.String())
		if err != nil {
			return fmt.Errorf("work in the job queue: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
	}
}

// Forget removes the rows that name a tenant from the control schema, those of
// the registry last, in one transaction with also. It finds them by the columns
// tenant_id, source_id and target_id, one of which every table has that says
// something of tenants.
func (r *Remover) Forget(ctx context.Context, tenant uuid.UUID, kept Remembrance, also func(tx uow.Tx) error) error {
	return pgx.BeginFunc(ctx, r.m.pool, func(tx pgx.Tx) error {
		tables, err := traced(ctx, tx, kept)
		if err != nil {
			return err
		}
		for _, t := range tables {
			if _, err := tx.Exec(ctx, "DELETE FROM "+t.where, t.args(tenant, kept)...); err != nil {
				return fmt.Errorf("rows of control.%s: %w", t.name, err)
			}
		}
		return also(&ownerTx{tx: tx})
	})
}

// tracedTable is a table of the control schema with the rows of one tenant.
type tracedTable struct {
	name, where string
	operations  bool
}

func (t tracedTable) args(tenant uuid.UUID, r Remembrance) []any {
	if t.operations {
		return []any{tenant, r.Operation}
	}
	return []any{tenant}
}

// tablesWithTenants lists the tables of the control schema that name tenants,
// with the columns in which they do.
const tablesWithTenants = `
SELECT c.relname, array_agg(a.attname::text ORDER BY a.attname) FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = 'control' AND c.relkind = 'r' AND a.attname IN ('tenant_id', 'source_id', 'target_id') AND NOT a.attisdropped
GROUP BY c.relname
ORDER BY c.relname`

func traced(ctx context.Context, db queryer, kept Remembrance) ([]tracedTable, error) {
	rows, err := db.Query(ctx, tablesWithTenants)
	if err != nil {
		return nil, err
	}
	type found struct {
		Name    string
		Columns []string
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[found])
	if err != nil {
		return nil, err
	}
	var tables []tracedTable
	for _, f := range all {
		if slices.Contains(kept.Tables, f.Name) {
			continue
		}
		names := "(" + strings.Join(f.Columns, " = $1 OR ") + " = $1)"
		t := tracedTable{name: f.Name, where: pgx.Identifier{"control", f.Name}.Sanitize() + " WHERE " + names}
		if f.Name == operationsTable {
			t.operations, t.where = true, t.where+" AND id <> $2"
		}
		tables = append(tables, t)
	}
	return append(tables, tracedTable{name: "tenants", where: "control.tenants WHERE id = $1"}), nil
}
