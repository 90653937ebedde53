package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/insulahq/insula/platform/pgserver"
)

// server is the PostgreSQL on which scratch databases are made.
type server struct {
	config *pgx.ConnConfig
}

// withServer runs f with the server that the project names, else with one that lives as long as f.
func (p *project) withServer(ctx context.Context, f func(*server) error) error {
	url := p.url
	if url == "" {
		own, stop, err := startServer(ctx)
		if err != nil {
			return err
		}
		defer stop()
		url = own
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("address of the scratch server: %w", err)
	}
	return f(&server{config: config})
}

// startServer starts a throw-away PostgreSQL; stop ends it and removes its data.
func startServer(ctx context.Context) (url string, stop func(), err error) {
	bin, err := pgserver.Install(ctx, os.Stderr)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "insula-schema-")
	if err != nil {
		return "", nil, err
	}
	s, err := pgserver.Start(ctx, pgserver.Options{Dir: dir, Profile: pgserver.Throwaway, Bin: bin})
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("start a scratch server: %w", err), os.RemoveAll(dir))
	}
	return s.URL("postgres"), func() {
		if err := errors.Join(s.Stop(context.WithoutCancel(ctx)), os.RemoveAll(dir)); err != nil {
			fmt.Fprintln(os.Stderr, "schema: stop the scratch server:", err)
		}
	}, nil
}

// database is one scratch database: for our own statements and catalog a connection, for Atlas a driver.
type database struct {
	conn  *pgx.Conn
	db    *sql.DB
	atlas atlas.Driver
}

// withDatabase runs f with a new, empty database and drops it afterwards.
func (s *server) withDatabase(ctx context.Context, f func(*database) error) (err error) {
	admin, err := pgx.ConnectConfig(ctx, s.config)
	if err != nil {
		return fmt.Errorf("connect to the scratch server: %w", err)
	}
	name := fmt.Sprintf("insula_schema_%d", admin.PgConn().PID()) // nobody else's while admin is connected
	defer func() {
		ctx := context.WithoutCancel(ctx)
		_, dropped := admin.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		err = errors.Join(err, dropped, admin.Close(ctx))
	}()
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0 STRATEGY file_copy"); err != nil {
		return fmt.Errorf("make a scratch database: %w", err)
	}
	config := s.config.Copy()
	config.Database = name
	d, err := openDatabase(ctx, config)
	if err != nil {
		return fmt.Errorf("open a scratch database: %w", err)
	}
	defer d.close(ctx)
	return f(d)
}

func openDatabase(ctx context.Context, config *pgx.ConnConfig) (*database, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	db := stdlib.OpenDB(*config)
	driver, err := postgres.Open(db)
	if err != nil {
		return nil, errors.Join(err, db.Close(), conn.Close(ctx))
	}
	return &database{conn: conn, db: db, atlas: driver}, nil
}

// close gives the connections back; the database is dropped next, so there is nothing to lose.
func (d *database) close(ctx context.Context) {
	_ = d.db.Close()
	_ = d.conn.Close(context.WithoutCancel(ctx))
}
