package pg

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed carry.sql
var carriedTables string

// Table is a table of a tenant's schema as it is carried.
type Table struct {
	Name    string
	Columns []string // in the order of their values in a row
	// Lasting: a restore in place leaves its rows as they are. An audit trail
	// does not go back.
	Lasting bool
	// Own: its rows mean only the tenant that they came from, such as links and
	// keys that name it.
	Own bool

	passing     bool   // of no worth later, or a danger: sessions, queued work
	transaction string // the column that names a transaction of this server
	server      string // the column that names the server whose transactions count
	key         []string
	parents     []string
	bytes       int64
}

// tablesIn lists the tables of a schema, a table after those that its rows
// refer to. What becomes of each, the words in its comment say: passing,
// lasting, own.
func tablesIn(ctx context.Context, db Querier, schema string) ([]Table, error) {
	rows, err := db.Query(ctx, carriedTables, schema)
	if err != nil {
		return nil, fmt.Errorf("tables of %s: %w", schema, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Table, err error) {
		var comment string
		err = row.Scan(&t.Name, &comment, &t.Columns, &t.transaction, &t.server, &t.key, &t.parents, &t.bytes)
		words := strings.Split(comment, ", ")
		t.passing, t.Lasting, t.Own = slices.Contains(words, "passing"), slices.Contains(words, "lasting"), slices.Contains(words, "own")
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("tables of %s: %w", schema, err)
	}
	return inOrder(all)
}

// Querier is the part of a pool or a transaction that reading needs.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// inOrder puts parents first, and otherwise keeps the order.
func inOrder(all []Table) ([]Table, error) {
	var ordered []Table
	placed := map[string]bool{}
	for len(ordered) < len(all) {
		before := len(ordered)
		for _, t := range all {
			waits := slices.ContainsFunc(t.parents, func(p string) bool { return !placed[p] })
			if !placed[t.Name] && !waits {
				ordered, placed[t.Name] = append(ordered, t), true
			}
		}
		if len(ordered) == before {
			return nil, fmt.Errorf("tables refer to each other in a circle, %s among them", nextOf(all, placed))
		}
	}
	return ordered, nil
}

func nextOf(all []Table, placed map[string]bool) string {
	for _, t := range all {
		if !placed[t.Name] {
			return t.Name
		}
	}
	return "none"
}

// kept are the tables whose rows outlive the moment.
func kept(all []Table) []Table {
	return slices.DeleteFunc(slices.Clone(all), func(t Table) bool { return t.passing })
}

// quoted is a list of columns for a statement.
func quoted(columns []string) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = ident(c)
	}
	return strings.Join(out, ", ")
}
