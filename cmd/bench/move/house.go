package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgserver"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
	"github.com/insulahq/insula/sql/migrations"
)

// place is a database server of the measurement's own.
type place struct {
	name     string
	dir      string
	server   *pgserver.Server
	app      secret.Value
	migrator *pg.Migrator
	carrier  *pg.Carrier
}

// house is two servers, and a tenant on one of them.
type house struct {
	places [2]*place
	pool   *pg.Pool
	tenant tenancy.Tenant
}

// database is the name on both servers.
const database = "insula"

func build(ctx context.Context, o options) (*house, error) {
	h := &house{places: [2]*place{{name: tenancy.MainPlacement}, {name: "second"}}}
	for _, p := range h.places {
		if err := p.open(ctx); err != nil {
			return h, fmt.Errorf("server %s: %w", p.name, err)
		}
	}
	var err error
	h.pool, err = pg.Open(ctx, pg.Options{
		URL: h.places[0].app, MaxConns: 16, Placements: map[string]secret.Value{h.places[1].name: h.places[1].app},
	})
	if err != nil {
		return h, err
	}
	if err := h.settle(ctx); err != nil {
		return h, err
	}
	return h, h.fill(ctx, o.mb)
}

func (p *place) open(ctx context.Context) (err error) {
	if p.dir, err = os.MkdirTemp("", "insula-move-"); err != nil {
		return err
	}
	password := secret.New(rand.Text())
	p.server, err = pgserver.Start(ctx, pgserver.Options{Dir: p.dir, Profile: pgserver.Durable, Password: password.Reveal()})
	if err != nil {
		return err
	}
	app, migrator, err := pg.Bootstrap(ctx, p.server.URL("postgres"), pg.BootstrapParams{Database: database, AppPassword: password, MigratorPassword: password})
	if err != nil {
		return err
	}
	p.app = secret.New(app)
	m, err := pg.OpenMigrator(ctx, secret.New(migrator), migrations.Control, migrations.Tenant)
	if err != nil {
		return err
	}
	p.migrator = m.WithPlacement(p.name)
	if _, err := p.migrator.UpgradeControl(ctx); err != nil {
		return err
	}
	p.carrier, err = p.migrator.Carrier(ctx)
	return err
}

// settle provisions the tenant on the first server; the second knows of it.
func (h *house) settle(ctx context.Context) error {
	id := uuid.Must(uuid.NewV7())
	h.tenant = tenancy.Tenant{ID: id, Slug: "mover", Status: tenancy.Active, Schema: "t_" + hex.EncodeToString(id[:])}
	register := func(ctx context.Context, tx uow.Tx) (bool, error) {
		now := time.Now().UTC()
		_, err := pg.DB(tx).Exec(ctx, `INSERT INTO control.tenants (id, slug, name, kind, status, schema_name, admin_email, version, created_at, updated_at, placement)
			VALUES ($1, $2, '', 'customer', 'active', $3, 'a@example.com', 1, $4, $4, $5)`, id, h.tenant.Slug, h.tenant.Schema, now, h.places[0].name)
		return true, err
	}
	err := h.places[0].migrator.Provision(ctx, pg.Provisioning{Schema: h.tenant.Schema, Claim: register}, func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(ctx, "INSERT INTO policy (current, version) VALUES (true, 0)")
		return err
	})
	if err != nil {
		return err
	}
	return h.places[1].migrator.Control().Write(ctx, func(tx uow.Tx) error {
		_, err := register(ctx, tx)
		return err
	})
}

// fill gives the tenant users, and of its trail so much that its tables have
// the size. A tenth of the records is written at a time.
func (h *house) fill(ctx context.Context, mb int) error {
	db, err := h.behind(ctx, 0)
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	const users = `INSERT INTO users (id, email, email_key, name, name_key, locale, time_zone, status, second_factor, access_version, version, created_at, updated_at)
		SELECT gen_random_uuid(), n || '@example.com', n || '@example.com', 'Name ' || n, 'name ' || n, '', '', 'active', false, 1, 1, now(), now() FROM generate_series(1, $1::integer) AS n`
	if _, err := db.Exec(ctx, users, 50*mb); err != nil {
		return err
	}
	const trail = `INSERT INTO audit_events (id, at, operation, outcome, code, rule, actor_kind, actor_id, actor_label, target_kind, target_id, target_label, before, after, request_id, address, client, xid)
		SELECT gen_random_uuid(), now() - n * interval '1 second', 'users.update', 'done', '', '', 'user', gen_random_uuid(), 'ada@example.com', 'user', gen_random_uuid()::text, n || '@example.com',
		jsonb_build_object('name', md5(n::text)), jsonb_build_object('name', md5((n + 1)::text), 'note', repeat(md5((n + 2)::text), 4)), gen_random_uuid()::text, '192.0.2.1', 'bench', 3
		FROM generate_series(1, $1::integer) AS n`
	for size := 0; size < mb; {
		if _, err := db.Exec(ctx, trail, max(mb*160, 1000)); err != nil {
			return err
		}
		if size, err = h.size(ctx, db, "pg_table_size"); err != nil {
			return err
		}
	}
	_, err = db.Exec(ctx, "VACUUM (ANALYZE)")
	return err
}

// behind connects a superuser to the tenant's schema on a server.
func (h *house) behind(ctx context.Context, at int) (*pgx.Conn, error) {
	cfg, err := pgx.ParseConfig(h.places[at].server.URL(database))
	if err != nil {
		return nil, err
	}
	cfg.RuntimeParams["search_path"] = h.tenant.Schema
	return pgx.ConnectConfig(ctx, cfg)
}

// size is what all tables take, in MB.
func (h *house) size(ctx context.Context, db *pgx.Conn, function string) (mb int, err error) {
	err = db.QueryRow(ctx, "SELECT (sum("+function+"(oid)) / 1048576)::integer FROM pg_class WHERE relkind = 'r' AND relnamespace = $1::regnamespace", h.tenant.Schema).Scan(&mb)
	return mb, err
}

func (h *house) close(ctx context.Context) error {
	if h.pool != nil {
		h.pool.Close()
	}
	var all error
	for _, p := range h.places {
		if p.carrier != nil {
			p.carrier.Close()
		}
		if p.migrator != nil {
			p.migrator.Close()
		}
		if p.server != nil {
			all = errors.Join(all, p.server.Stop(ctx))
		}
		all = errors.Join(all, os.RemoveAll(p.dir))
	}
	return all
}
