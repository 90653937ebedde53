package pg

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/uow"
)

// schemaBytes adds up the tables of the schema that the unit of work is in,
// with their indexes and their long values. pg_class has no index by schema, and
// grows with every tenant; what is in a schema depends on it.
const schemaBytes = `-- name: SchemaBytes :one
SELECT coalesce(sum(pg_catalog.pg_total_relation_size(c.oid)), 0)::bigint
FROM pg_catalog.pg_class c
WHERE c.relkind = 'r'
  AND c.oid = ANY (ARRAY(SELECT d.objid FROM pg_catalog.pg_depend d
                         WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass
                           AND d.refobjid = (SELECT s.oid FROM pg_catalog.pg_namespace s WHERE s.nspname = current_schema())
                           AND d.classid = 'pg_catalog.pg_class'::regclass))`

// SchemaBytes is what the tenant of a unit of work takes up in its database. It
// is read as a list: whoever shares a trip with it would wait for hundreds of
// files to be looked at.
func SchemaBytes(ctx context.Context, tx uow.Tx) (int64, error) {
	rows, err := DB(tx).Query(ctx, schemaBytes)
	if err != nil {
		return 0, Translate(err, nil, nil)
	}
	bytes, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	return bytes, Translate(err, nil, nil)
}
