package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
	"github.com/insulahq/insula/sql/migrations"
)

// city is a database with tenants, and the same rows once more in shared
// tables and in one plain schema.
type city struct {
	name             string
	kept             bool   // for the next run
	superuserURL     string // of the server
	url              string // of the database, as superuser
	app, migrator    secret.Value
	tenants          []tenancy.Tenant
	users            [][]uuid.UUID // by tenant
	provisioningTook time.Duration
}

func build(ctx context.Context, o options, n int) (*city, error) {
	c := &city{name: fmt.Sprintf("insula_routing_%d", os.Getpid()), superuserURL: o.url}
	if o.keep != "" {
		c.name, c.kept = fmt.Sprintf("%s_%d", o.keep, n), true
	}
	password := secret.New(rand.Text())
	app, migrator, err := pg.Bootstrap(ctx, o.url, pg.BootstrapParams{Database: c.name, AppPassword: password, MigratorPassword: password})
	if err != nil {
		return nil, err
	}
	c.app, c.migrator = secret.New(app), secret.New(migrator)
	cfg, err := pgx.ParseConfig(o.url)
	if err != nil {
		return nil, err
	}
	c.url = fmt.Sprintf("postgres://%s:%s@%s:%d/%s?sslmode=disable", cfg.User, cfg.Password, cfg.Host, cfg.Port, c.name)
	if found, err := c.find(ctx); err != nil || found {
		return c, err
	}
	m, err := pg.OpenMigrator(ctx, c.migrator, migrations.Control, migrations.Tenant)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if _, err := m.UpgradeControl(ctx); err != nil {
		return nil, err
	}
	if err := c.settle(ctx, m, o, n); err != nil {
		return nil, err
	}
	return c, c.copyShared(ctx)
}

// find takes over the tenants of an earlier run, if there was one.
func (c *city) find(ctx context.Context) (bool, error) {
	conn, err := pgx.Connect(ctx, c.url)
	if err != nil {
		return false, err
	}
	defer conn.Close(ctx)
	var built bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass('shared.plain') IS NOT NULL`).Scan(&built); err != nil || !built {
		return false, err
	}
	rows, err := conn.Query(ctx, `SELECT t.id, t.schema_name, array_agg(u.id ORDER BY u.id)
		FROM control.tenants t JOIN shared.users u ON u.tenant_id = t.id GROUP BY t.id ORDER BY t.slug`)
	if err != nil {
		return false, err
	}
	var t tenancy.Tenant
	var users []uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&t.ID, &t.Schema, &users}, func() error {
		t.Status = tenancy.Active
		c.tenants, c.users = append(c.tenants, t), append(c.users, users)
		users = nil
		return nil
	})
	return true, err
}

// settle provisions the tenants, as the product does.
func (c *city) settle(ctx context.Context, m *pg.Migrator, o options, n int) error {
	c.tenants, c.users = make([]tenancy.Tenant, n), make([][]uuid.UUID, n)
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i := range n {
		if i > 0 && i%1000 == 0 {
			fmt.Fprintf(os.Stderr, "%d tenants after %.0f s\n", i, time.Since(start).Seconds())
		}
		g.Go(func() error { return c.provision(ctx, m, i, o.users) })
	}
	err := g.Wait()
	c.provisioningTook = time.Since(start)
	return err
}

func (c *city) provision(ctx context.Context, m *pg.Migrator, i, users int) error {
	id := uuid.Must(uuid.NewV7())
	t := tenancy.Tenant{ID: id, Slug: fmt.Sprintf("bench-%06d", i), Kind: tenancy.Customer, Status: tenancy.Active, Schema: "t_" + hex.EncodeToString(id[:])}
	c.tenants[i] = t
	c.users[i] = make([]uuid.UUID, users)
	for j := range users {
		c.users[i][j] = uuid.Must(uuid.NewV7())
	}
	now := time.Now().UTC()
	return m.Provision(ctx, pg.Provisioning{
		Schema: t.Schema,
		Claim: func(ctx context.Context, tx uow.Tx) (bool, error) {
			_, err := pg.DB(tx).Exec(ctx, `INSERT INTO control.tenants
				(id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at)
				VALUES ($1, $2, $2, $3, $4, $5, 'a@example.com', 1, $6, $6)`, t.ID, t.Slug, string(t.Kind), string(t.Status), t.Schema, now)
			return true, err
		},
	}, func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(ctx, `INSERT INTO users (id, email, email_key, name, name_key, locale, time_zone, status, second_factor, access_version, version, created_at, updated_at)
			SELECT u, u::text || '@example.com', u::text || '@example.com', 'Somebody', 'somebody', '', '', 'active', false, 1, 1, $2, $2 FROM unnest($1::uuid[]) AS u`, c.users[i], now)
		return err
	})
}

// copyShared puts every user also into a shared table behind row-level
// security, and into a plain one.
func (c *city) copyShared(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, s := range []string{
		`CREATE SCHEMA shared`,
		`CREATE TABLE shared.users (tenant_id uuid NOT NULL, id uuid NOT NULL, email text, name text, status text, version bigint,
			created_at timestamptz, updated_at timestamptz, PRIMARY KEY (tenant_id, id))`,
		`CREATE TABLE shared.plain (id uuid PRIMARY KEY, email text, name text, status text, version bigint, created_at timestamptz, updated_at timestamptz)`,
		`ALTER TABLE shared.users ENABLE ROW LEVEL SECURITY`,
		`CREATE POLICY own ON shared.users USING (tenant_id = current_setting('insula.tenant')::uuid)`,
		`GRANT USAGE ON SCHEMA shared TO ` + pg.AppRole,
		`GRANT SELECT ON ALL TABLES IN SCHEMA shared TO ` + pg.AppRole,
	} {
		if _, err := conn.Exec(ctx, s); err != nil {
			return err
		}
	}
	now := time.Now().UTC()
	for i, t := range c.tenants {
		_, err := conn.Exec(ctx, `WITH who AS (SELECT unnest($2::uuid[]) AS u),
			a AS (INSERT INTO shared.users SELECT $1, u, u::text, 'Somebody', 'active', 1, $3, $3 FROM who)
			INSERT INTO shared.plain SELECT u, u::text, 'Somebody', 'active', 1, $3, $3 FROM who`, t.ID, c.users[i], now)
		if err != nil {
			return err
		}
	}
	_, err = conn.Exec(ctx, `ANALYZE shared.users, shared.plain, control.tenants`)
	return err
}

func (c *city) drop() error {
	if c.kept {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, c.superuserURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "DROP DATABASE "+pgx.Identifier{c.name}.Sanitize()+" WITH (FORCE)"); err != nil {
		return err
	}
	for _, t := range c.tenants {
		if _, err := conn.Exec(ctx, "DROP ROLE "+pgx.Identifier{t.Schema}.Sanitize()); err != nil {
			return err
		}
	}
	return nil
}
