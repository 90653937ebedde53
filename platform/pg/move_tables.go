package pg

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// movedTable is a table on its way.
type movedTable struct {
	Table
	schema string
	have   int64 // rows at the target
}

// movedTables lists the tables of a schema, all of which move. Without a
// primary key a change of a row could not be told from another row.
func movedTables(ctx context.Context, db Querier, schema string) ([]*movedTable, error) {
	all, err := tablesIn(ctx, db, schema)
	if err != nil {
		return nil, err
	}
	moved := make([]*movedTable, len(all))
	for i, t := range all {
		if len(t.key) == 0 {
			return nil, fmt.Errorf("table %s: %w", t.Name, ErrNoKey)
		}
		moved[i] = &movedTable{Table: t, schema: schema}
	}
	return moved, nil
}

// name is the table in a statement: the same on both sides.
func (t *movedTable) name() string { return pgx.Identifier{t.schema, t.Name}.Sanitize() }

// sent is what a row of the source becomes at the target.
func (t *movedTable) sent() string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		switch out[i] = ident(c); c {
		case t.transaction:
			out[i] = first + " AS " + out[i]
		case t.server:
			out[i] = "'" + noServer + "' AS " + out[i]
		}
	}
	return strings.Join(out, ", ")
}

// allRows is the COPY of all rows that the source sends.
func (t *movedTable) allRows() string {
	return fmt.Sprintf("COPY (SELECT %s FROM %s) TO STDOUT", t.sent(), t.name())
}

// changedRows is the COPY of the rows that transactions from since on have
// written. Ids are compared by how long ago they were given, as PostgreSQL
// compares them itself: they come round. A row that is seen without need is
// only sent once more.
func (t *movedTable) changedRows(since int64) string {
	return fmt.Sprintf("COPY (SELECT %s FROM %s WHERE age(xmin) <= age('%d'::xid)) TO STDOUT", t.sent(), t.name(), uint32(since))
}

// arrivedRows is the COPY of all rows that the target has.
func (t *movedTable) arrivedRows() string {
	return fmt.Sprintf("COPY (SELECT %s FROM %s) TO STDOUT", quoted(t.Columns), t.name())
}

// keys is the COPY of the primary keys.
func (t *movedTable) keys() string {
	return fmt.Sprintf("COPY (SELECT %s FROM %s) TO STDOUT", quoted(t.key), t.name())
}

// into is the COPY that takes columns in.
func into(table string, columns []string) string {
	return fmt.Sprintf("COPY %s (%s) FROM STDIN", table, quoted(columns))
}

// on is the condition that rows of two tables have one key.
func (t *movedTable) on(a, b string) string {
	out := make([]string, len(t.key))
	for i, c := range t.key {
		out[i] = a + "." + ident(c) + " = " + b + "." + ident(c)
	}
	return strings.Join(out, " AND ")
}

// count counts the rows of the table on one side.
func (t *movedTable) count(ctx context.Context, db rowQuerier) (n int64, err error) {
	if err := db.QueryRow(ctx, "SELECT count(*) FROM "+t.name()).Scan(&n); err != nil {
		return 0, fmt.Errorf("count %s: %w", t.Name, err)
	}
	return n, nil
}

type rowQuerier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// foreignKey is a constraint that is taken off while rows of all tables come in
// as they come, and put on again when all are there.
type foreignKey struct {
	Table, Name, Definition string
	Valid                   bool // all rows are known to obey
}

const foreignKeysOf = `
SELECT c.relname, k.conname, pg_catalog.pg_get_constraintdef(k.oid), k.convalidated
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
WHERE k.contype = 'f' AND k.conparentid = 0
  AND k.conrelid = ANY (ARRAY(SELECT d.objid FROM pg_catalog.pg_depend d
                              WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass
                                AND d.refobjid = (SELECT s.oid FROM pg_catalog.pg_namespace s WHERE s.nspname = $1)
                                AND d.classid = 'pg_catalog.pg_class'::regclass))
ORDER BY c.relname, k.conname`

func foreignKeysIn(ctx context.Context, db Querier, schema string) ([]foreignKey, error) {
	rows, err := db.Query(ctx, foreignKeysOf, schema)
	if err != nil {
		return nil, fmt.Errorf("foreign keys of %s: %w", schema, err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowToStructByPos[foreignKey])
	if err != nil {
		return nil, fmt.Errorf("foreign keys of %s: %w", schema, err)
	}
	return keys, nil
}

func (k foreignKey) alter(schema, what string) string {
	return "ALTER TABLE " + pgx.Identifier{schema, k.Table}.Sanitize() + " " + what
}

// off takes the constraint off.
func (k foreignKey) off(schema string) string {
	return k.alter(schema, "DROP CONSTRAINT "+ident(k.Name))
}

// back puts it on again. That the rows obey it is looked at later: they are
// those of the source, and looking keeps writers waiting. From here on it holds
// for whatever is written.
func (k foreignKey) back(schema string) string {
	return k.alter(schema, "ADD CONSTRAINT "+ident(k.Name)+" "+strings.TrimSuffix(k.Definition, " NOT VALID")+" NOT VALID")
}

// look has the rows looked at. Nobody waits for it.
func (k foreignKey) look(schema string) string {
	return k.alter(schema, "VALIDATE CONSTRAINT "+ident(k.Name))
}
