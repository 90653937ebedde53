// Command insula is the whole product in one binary: it serves the API,
// migrates schemas and administers tenants. All settings come from the
// environment; `insula config` lists them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/errs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		complain(err)
		os.Exit(exitCode(err))
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "insula",
		Short:         "Tenants, users, roles, an audit trail and files behind one HTTP API.",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(serveCommand(), migrateCommand(), fleetCommand(), placementCommand(), tenantCommand(), auditCommand(), keysCommand(), filesCommand(), doctorCommand(),
		openapiCommand(), permissionsCommand(), settingsCommand(), configCommand(), versionCommand())
	return cmd
}

// complain prints one line per thing that is wrong, and for declared errors
// the sentence that is meant for people.
func complain(err error) {
	var settings *config.Error
	if errors.As(err, &settings) {
		for _, p := range settings.Problems {
			fmt.Fprintln(os.Stderr, "insula:", p)
		}
		return
	}
	if e, ok := errs.As(err); ok {
		fmt.Fprintf(os.Stderr, "insula: %s (%s)\n", e.Detail, e.Code)
		for _, f := range e.Fields {
			fmt.Fprintf(os.Stderr, "insula: %s %s\n", f.Pointer, f.Detail)
		}
		if hint, ok := hints[e.Code]; ok {
			fmt.Fprintln(os.Stderr, "insula:", hint)
		}
		if cause := e.Unwrap(); cause != nil {
			fmt.Fprintln(os.Stderr, "insula: because:", cause)
		}
		return
	}
	fmt.Fprintln(os.Stderr, "insula:", err)
}
