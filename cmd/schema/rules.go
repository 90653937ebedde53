package main

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// rulesSQL finds what a schema must not hold so that the same code runs on a sharded PostgreSQL.
//
//go:embed rules.sql
var rulesSQL string

// brokenRules lists where the declared schema of a scope breaks a rule.
func (p *project) brokenRules(ctx context.Context, s scope, declared *database) ([]string, error) {
	rows, err := declared.conn.Query(ctx, rulesSQL, s.schema)
	if err != nil {
		return nil, fmt.Errorf("look for broken rules: %w", err)
	}
	broken, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for broken rules: %w", err)
	}
	files, err := p.declared(s)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		for _, stmt := range f.stmts {
			for _, what := range unnamed(stmt.Text) {
				broken = append(broken, fmt.Sprintf("%s: %s has no name", f.at(stmt.Pos), what))
			}
		}
	}
	return broken, nil
}
