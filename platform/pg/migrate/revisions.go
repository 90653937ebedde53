package migrate

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// RevisionTable is the history of a schema, in it. The official Atlas command line looks for that name.
const RevisionTable = "atlas_schema_revisions"

// operator names, in the history, who ran a migration.
const operator = "Insula"

// The statements on the history name its table as {history}: it lives in another schema for every tenant, and a
// reader outside a transaction cannot set the search path.
var (
	//go:embed revisions_create.sql
	createRevisions string
	//go:embed revisions_read.sql
	readRevisions string
	//go:embed revisions_insert.sql
	insertRevision string
	//go:embed revisions_begin.sql
	beginRevision string
	//go:embed revisions_step.sql
	stepRevision string
)

// Querier is the part of a pool, a connection or a transaction that reading a history needs.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// revisions is the history of one schema.
type revisions struct {
	table string // quoted and qualified
}

func revisionsIn(schema string) revisions {
	return revisions{table: pgx.Identifier{schema, RevisionTable}.Sanitize()}
}

func (r revisions) sql(template string) string {
	return strings.ReplaceAll(template, "{history}", r.table)
}

// exists reports whether the schema has a history.
func (r revisions) exists(ctx context.Context, q Querier) (bool, error) {
	var found bool
	if err := q.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", r.table).Scan(&found); err != nil {
		return false, fmt.Errorf("look for the history %s: %w", r.table, err)
	}
	return found, nil
}

func (r revisions) create(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, r.sql(createRevisions)); err != nil {
		return fmt.Errorf("create the history %s: %w", r.table, err)
	}
	return nil
}

// read returns the history, oldest first.
func (r revisions) read(ctx context.Context, q Querier) ([]revision, error) {
	rows, err := q.Query(ctx, r.sql(readRevisions))
	if err != nil {
		return nil, fmt.Errorf("read the history %s: %w", r.table, err)
	}
	history, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (revision, error) {
		var v revision
		err := row.Scan(&v.version, &v.hash, &v.applied, &v.total)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the history %s: %w", r.table, err)
	}
	return history, nil
}

// insert records that f ran since start, and returns the time of the database afterwards.
func (r revisions) insert(ctx context.Context, tx pgx.Tx, f file, start time.Time) (time.Time, error) {
	var end time.Time
	row := tx.QueryRow(ctx, r.sql(insertRevision), f.version, f.description, len(f.stmts), start, f.hash, operator)
	if err := row.Scan(&end); err != nil {
		return end, fmt.Errorf("record %s in %s: %w", f.name, r.table, err)
	}
	return end, nil
}

// begin records that f begins outside a transaction and returns how many of its statements have run before.
func (r revisions) begin(ctx context.Context, q Querier, f file) (done int, err error) {
	row := q.QueryRow(ctx, r.sql(beginRevision), f.version, f.description, len(f.stmts), f.hash, operator)
	if err := row.Scan(&done); err != nil {
		return 0, fmt.Errorf("record the beginning of %s in %s: %w", f.name, r.table, err)
	}
	return done, nil
}

// step records that the first n statements of f have run.
func (r revisions) step(ctx context.Context, conn *pgx.Conn, f file, n int) error {
	if _, err := conn.Exec(ctx, r.sql(stepRevision), f.version, n); err != nil {
		return fmt.Errorf("record a step of %s in %s: %w", f.name, r.table, err)
	}
	return nil
}
