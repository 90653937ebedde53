package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// way reads one user of one tenant.
type way struct {
	name  string
	app   string // application_name of its connections
	read  func(ctx context.Context, t tenancy.Tenant, user uuid.UUID) error
	close func()
}

const columns = `SELECT id, email, name, status, version, created_at, updated_at FROM `

func scan(row pgx.Row) error {
	var u struct {
		id                  uuid.UUID
		email, name, status string
		version             int64
		created, updated    any
	}
	return row.Scan(&u.id, &u.email, &u.name, &u.status, &u.version, &u.created, &u.updated)
}

func (c *city) ways(ctx context.Context, o options) ([]way, error) {
	plain, err := c.plainPool(ctx, o, "floor")
	if err != nil {
		return nil, err
	}
	rls, err := c.plainPool(ctx, o, "rls")
	if err != nil {
		return nil, err
	}
	steps, err := c.plainPool(ctx, o, "steps")
	if err != nil {
		return nil, err
	}
	wall, err := pg.Open(ctx, pg.Options{URL: c.app, MaxConns: int32(o.conns)})
	if err != nil {
		return nil, err
	}
	return []way{
		{"floor: one schema", "floor", func(ctx context.Context, _ tenancy.Tenant, user uuid.UUID) error {
			return scan(plain.QueryRow(ctx, columns+`shared.plain WHERE id = $1`, user))
		}, plain.Close},
		{"shared tables, row-level security", "rls", func(ctx context.Context, t tenancy.Tenant, user uuid.UUID) error {
			batch := &pgx.Batch{}
			batch.Queue(`SELECT set_config('insula.tenant', $1, true)`, t.ID.String())
			batch.Queue(columns+`shared.users WHERE id = $1`, user)
			results := rls.SendBatch(ctx, batch)
			defer results.Close()
			if _, err := results.Exec(); err != nil {
				return err
			}
			return scan(results.QueryRow())
		}, rls.Close},
		{"schema, separate round trips", "steps", func(ctx context.Context, t tenancy.Tenant, user uuid.UUID) error {
			return pgx.BeginFunc(ctx, steps, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, `SELECT set_config('search_path', $1, true), set_config('role', $1, true)`, t.Schema); err != nil {
					return err
				}
				return scan(tx.QueryRow(ctx, userQuery, user))
			})
		}, steps.Close},
		wallWay(wall),
	}, nil
}

const userQuery = columns + `users WHERE id = $1`

func wallWay(wall *pg.Pool) way {
	return way{"the wall", "insula", func(ctx context.Context, t tenancy.Tenant, user uuid.UUID) error {
		return wall.Tenant(t).Read(ctx, func(tx uow.Tx) error {
			return scan(pg.DB(tx).QueryRow(ctx, userQuery, user))
		})
	}, wall.Close}
}

func (c *city) plainPool(ctx context.Context, o options, name string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(c.app.Reveal())
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	cfg.MaxConns = int32(o.conns)
	cfg.ConnConfig.RuntimeParams["application_name"] = name
	return pgxpool.NewWithConfig(ctx, cfg)
}
