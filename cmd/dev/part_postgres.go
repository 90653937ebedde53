package main

import (
	"context"
	"fmt"
	"time"

	"github.com/insulahq/insula/platform/pgserver"
)

// database is the name of the product's database.
const database = "insula"

// postgresLimit is how long PostgreSQL may take to write everything down.
const postgresLimit = 20 * time.Second

// startPostgres finds or installs PostgreSQL and brings it up.
func startPostgres(ctx context.Context, say *progress, o pgserver.Options) (*pgserver.Server, part, error) {
	if _, err := pgserver.Install(ctx, say); err != nil {
		return nil, part{}, err
	}
	o.Progress = func(line string) { say.line("%s", line) }
	var server *pgserver.Server
	err := say.during(ctx, "starting PostgreSQL", func(ctx context.Context) (err error) {
		server, err = pgserver.Start(ctx, o)
		return err
	})
	if err != nil {
		return nil, part{}, fmt.Errorf("PostgreSQL: %w", err)
	}
	say.line("PostgreSQL answers on port %d", server.Port())
	return server, part{
		name: "PostgreSQL", log: server.LogPath(), done: server.Done(), err: server.Err,
		stop: server.Stop, limit: postgresLimit,
	}, nil
}
