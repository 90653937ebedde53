// Command schema keeps the declared schema, the migrations and what is in a database in step.
//
// The declared schema is plain SQL in schema/; the migrations in sql/migrations/ are the steps that lead a live
// database there. Two scopes exist: control, once per installation, and tenant, once per tenant. Every command
// works on scratch databases, on a server that it starts for itself unless it is given one.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root(time.Now).ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		stop()
		os.Exit(1)
	}
}

// root is the command line. The clock names new migrations.
func root(now func() time.Time) *cobra.Command {
	var p project
	cmd := &cobra.Command{
		Use:           "schema",
		Short:         "Check, plan and lint the database schema",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.PersistentFlags().StringVar(&p.dir, "dir", ".", "root of the source tree")
	cmd.PersistentFlags().StringVar(&p.url, "url", os.Getenv("INSULA_TEST_DATABASE_URL"),
		"PostgreSQL on which scratch databases are made, by a role that may; empty starts a throw-away server")
	cmd.AddCommand(
		checkCommand(&p),
		diffCommand(&p, now),
		newCommand(&p, now),
		hashCommand(&p),
		lintCommand(&p),
		vetCommand(&p),
		fingerprintCommand(&p),
	)
	return cmd
}
