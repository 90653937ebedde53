package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/insulahq/insula/platform/pg/catalog"
)

// buildDeclared loads the declared files of both scopes into an empty database.
func (p *project) buildDeclared(ctx context.Context, d *database) error {
	for _, s := range scopes {
		files, err := p.declared(s)
		if err != nil {
			return err
		}
		if err := d.enter(ctx, s); err != nil {
			return err
		}
		for _, f := range files {
			if err := d.run(ctx, f); err != nil {
				return err
			}
		}
	}
	return d.leave(ctx)
}

// buildMigrated replays the migrations of both scopes in an empty database, with the runner of the product.
func (p *project) buildMigrated(ctx context.Context, d *database) error {
	dir, err := p.migrations(control)
	if err != nil {
		return err
	}
	if _, err := dir.ApplyControl(ctx, d.conn); err != nil {
		return err
	}
	if dir, err = p.migrations(tenant); err != nil {
		return err
	}
	if err := d.enter(ctx, tenant); err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, d.conn, func(tx pgx.Tx) error {
		_, err := dir.Apply(ctx, tx, tenant.schema)
		return err
	})
	return errors.Join(err, d.leave(ctx))
}

// enter makes unqualified names mean the schema of the scope, which for the control scope is an error to use.
func (d *database) enter(ctx context.Context, s scope) error {
	path := ""
	if !s.qualified {
		path = pgx.Identifier{s.schema}.Sanitize()
		if _, err := d.conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+path); err != nil {
			return err
		}
	}
	_, err := d.conn.Exec(ctx, "SELECT set_config('search_path', $1, false)", path)
	return err
}

func (d *database) leave(ctx context.Context) error {
	_, err := d.conn.Exec(ctx, "RESET search_path")
	return err
}

// run executes the statements of a file, one by one.
func (d *database) run(ctx context.Context, f source) error {
	for _, s := range f.stmts {
		if _, err := d.conn.Exec(ctx, s.Text); err != nil {
			return fmt.Errorf("%s: %w", f.at(s.Pos), err)
		}
	}
	return nil
}

// catalog lists the schema of a scope; it is empty when the schema does not exist yet.
func (d *database) catalog(ctx context.Context, s scope) (catalog.Catalog, error) {
	c, err := catalog.Read(ctx, d.conn, s.schema)
	if errors.Is(err, catalog.ErrNoSchema) {
		return nil, nil
	}
	return c, err
}

// hint adds what PostgreSQL has to say about an error beyond its message.
func hint(err error) string {
	if pg := (*pgconn.PgError)(nil); errors.As(err, &pg) && pg.Detail != "" {
		return err.Error() + ": " + pg.Detail
	}
	return err.Error()
}
