package pg

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg/internal/pgdb"
)

//go:embed holdings.sql
var holdingsOf string

// Remover counts and removes what the database has of a tenant: its schema and
// role, and whatever names it in the control schema and the job queue.
type Remover struct{ m *Migrator }

// NewRemover makes a remover with the rights of a migrator.
func NewRemover(m *Migrator) *Remover { return &Remover{m: m} }

// Remover is the remover of a placement; tenancy.ErrUnplaced.
func (p *Placements) Remover(placement string) (*Remover, error) {
	m, err := p.Of(placement)
	return NewRemover(m), err
}

// Holdings is what a tenant's schema holds.
type Holdings struct {
	Tables int64
	Rows   int64
	Bytes  int64 // of tables, indexes and long values together
}

// Holdings counts the rows of a schema, each of its tables in a statement of
// its own. A schema that is not there holds nothing.
func (r *Remover) Holdings(ctx context.Context, schema string) (Holdings, error) {
	tables, err := heldIn(ctx, r.m.pool, schema)
	if err != nil {
		return Holdings{}, err
	}
	var sum Holdings
	for _, t := range tables {
		var rows int64
		if err := r.m.pool.QueryRow(ctx, "SELECT count(*) FROM "+t.in(schema)).Scan(&rows); err != nil {
			return Holdings{}, fmt.Errorf("count %s: %w", t.Name, err)
		}
		sum.Tables++
		sum.Rows += rows
		sum.Bytes += t.Bytes
	}
	return sum, nil
}

// heldTable is a table with what dropping it takes.
type heldTable struct {
	Name      string
	Bytes     int64
	Relations int // that are locked with it
}

func (t heldTable) in(schema string) string { return pgx.Identifier{schema, t.Name}.Sanitize() }

type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func heldIn(ctx context.Context, db queryer, schema string) ([]heldTable, error) {
	rows, err := db.Query(ctx, holdingsOf, schema)
	if err != nil {
		return nil, fmt.Errorf("tables of %s: %w", schema, err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowToStructByPos[heldTable])
	if err != nil {
		return nil, fmt.Errorf("tables of %s: %w", schema, err)
	}
	return tables, nil
}

// dropRelations bounds how many relations one transaction of a Drop locks,
// beside those that refer to them. PostgreSQL's lock table is shared by all
// tenants and holds max_locks_per_transaction (64) for each connection.
const dropRelations = 48

// Dropped is one transaction of a Drop.
type Dropped struct {
	Tables []string
	Locks  int // held at its end, in the lock table that everybody shares
}

// ErrServed says that a schema is one that a tenant is served from, or could
// be again at any time.
var ErrServed = errors.New("a tenant is served from the schema")

// Drop removes a schema and role, and with them all rows, in transactions that
// each drop a few tables. What is gone already is no error: after a failure or
// a kill it goes on where it stopped. A schema that a tenant is served from
// stays: ErrServed. Told hears of each transaction before it is committed; nil
// is fine.
func (m *Migrator) Drop(ctx context.Context, schema string, told func(Dropped)) error {
	for {
		left, err := m.dropSome(ctx, schema, told)
		if err != nil {
			return fmt.Errorf("drop %s: %w", schema, err)
		}
		if !left {
			break
		}
	}
	return pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		if err := m.unserved(ctx, tx, schema); err != nil {
			return fmt.Errorf("drop %s: %w", schema, err)
		}
		if err := execAll(ctx, tx, []string{dropLockTimeout, "DROP SCHEMA IF EXISTS " + ident(schema) + " CASCADE"}); err != nil {
			return err
		}
		return dropRole(ctx, tx, schema)
	})
}

// unserved returns ErrServed for a schema that the registry names for a tenant
// that is there: served in this placement, suspended, or deleted and not erased.
func (m *Migrator) unserved(ctx context.Context, tx pgx.Tx, schema string) error {
	served, err := pgdb.New().SchemaServed(ctx, tx, schema, m.placement)
	if err == nil && served {
		err = ErrServed
	}
	return err
}

// Drop removes a tenant's schema and role, as Migrator.Drop does.
func (r *Remover) Drop(ctx context.Context, schema string, told func(Dropped)) error {
	return r.m.Drop(ctx, schema, told)
}

// dropLockTimeout keeps everybody who comes after from queueing for long
// behind a table that somebody still uses.
const dropLockTimeout = "SET LOCAL lock_timeout = '5s'"

// dropSome drops the next tables and reports whether there were any.
func (m *Migrator) dropSome(ctx context.Context, schema string, told func(Dropped)) (bool, error) {
	var some Dropped
	err := pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		if err := m.unserved(ctx, tx, schema); err != nil {
			return err
		}
		tables, err := heldIn(ctx, tx, schema)
		if err != nil {
			return err
		}
		var names []string
		relations := 0
		for _, t := range tables {
			if relations += t.Relations; relations > dropRelations && len(names) > 0 {
				break
			}
			some.Tables, names = append(some.Tables, t.Name), append(names, t.in(schema))
		}
		if len(names) == 0 {
			return nil
		}
		if err := execAll(ctx, tx, []string{dropLockTimeout, "DROP TABLE " + strings.Join(names, ", ") + " CASCADE"}); err != nil {
			return err
		}
		if told == nil {
			return nil
		}
		const held = "SELECT count(*) FROM pg_catalog.pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND NOT fastpath"
		if err := tx.QueryRow(ctx, held).Scan(&some.Locks); err != nil {
			return err
		}
		told(some)
		return nil
	})
	return len(some.Tables) > 0, err
}
