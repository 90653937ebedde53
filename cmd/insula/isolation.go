package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/isolation"
	"github.com/insulahq/insula/platform/secret"
	wiregen "github.com/insulahq/insula/wire_gen"
)

type isolationFlags struct {
	requests int
	callers  int
	conns    int32
	seed     uint64
	pooler   string
}

// maxIsolation bounds a check: about an hour on a small machine.
const maxIsolation = 10_000_000

func isolationCommand() *cobra.Command {
	var f isolationFlags
	cmd := &cobra.Command{
		Use:   "isolation",
		Short: "Try to make a row cross from one tenant to another.",
		Long: "Try to make a row cross from one tenant to another.\n\n" +
			"Two throw-away tenants send mixed requests over one backend, with errors, panics, cancelled and timed\n" +
			"out requests and killed backends among them; all connections of the application to this database\n" +
			"are killed now and then, so do not run it beside a server that must not notice. The tenants are\n" +
			"removed at the end. The exit code is 1 when a row crossed.",
		Example: "  insula doctor isolation --requests 100000\n" +
			"  insula doctor isolation --pooler postgres://insula_app:…@pgbouncer:6432/insula",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				return checkIsolation(cmd.Context(), p, f, cmd.OutOrStdout(), cmd.ErrOrStderr())
			})
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&f.requests, "requests", 20_000, "how many requests to mix")
	flags.IntVar(&f.callers, "callers", 16, "callers at once")
	flags.Int32Var(&f.conns, "connections", 1, "connections they share")
	flags.Uint64Var(&f.seed, "seed", 1, "order of things; the same seed tries the same")
	flags.StringVar(&f.pooler, "pooler", "", "URL through a pooler in transaction mode; without it DATABASE_URL is used")
	return cmd
}

func checkIsolation(ctx context.Context, p *wiregen.Process, f isolationFlags, out, progress io.Writer) error {
	if f.requests < 1 || f.requests > maxIsolation || f.callers < 1 || f.callers > 256 || f.conns < 1 || f.conns > 64 {
		return fmt.Errorf("out of bounds: 1 to %d requests, 1 to 256 callers, 1 to 64 connections", maxIsolation)
	}
	o := pg.Options{URL: p.Config.Database.URL, Pooled: p.Config.Database.Pooled, Roles: wiregen.RolesOf(p.Config.Database), MaxConns: f.conns}
	if f.pooler != "" {
		o.URL, o.Pooled = secret.New(f.pooler), true
	}
	pool, err := pg.Open(ctx, o)
	if err != nil {
		return err
	}
	defer pool.Close()
	report, err := isolation.Check(ctx, isolation.Options{
		Pool: pool, Migrator: p.Migrator, Requests: f.requests, Callers: f.callers, Seed: f.seed,
		Progress: func(done int) { fmt.Fprintf(progress, "%d of %d requests\n", done, f.requests) },
	})
	if err != nil {
		return err
	}
	if err := report.Print(out); err != nil {
		return err
	}
	if len(report.Crossed) > 0 {
		return errors.New("the wall leaks")
	}
	return nil
}
