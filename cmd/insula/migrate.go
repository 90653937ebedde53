package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/pg/fleet"
	"github.com/insulahq/insula/platform/tenancy"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the control schema and every tenant's schema to the newest version.",
		Long: "Bring the control schema and every tenant's schema to the newest version: the control schema first,\n" +
			"then what `insula fleet apply` does without any caution of its own.\n\n" +
			"Each schema is one transaction: after a failure it is as it was, and the others are not touched.\n" +
			"Running it again does only what is missing.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withSchemas(cmd.Context(), func(s *wiregen.Schemas) error {
				if err := upgradeControl(cmd.Context(), s, cmd.OutOrStdout()); err != nil {
					return err
				}
				return applyFleet(cmd.Context(), s.Fleet, fleet.Options{Parallel: defaultParallel},
					newTeller(cmd.OutOrStdout(), cmd.ErrOrStderr(), false))
			})
		},
	}
}

func upgradeControl(ctx context.Context, s *wiregen.Schemas, out io.Writer) error {
	return s.Placements.UpgradeControl(ctx, func(placement string, applied []string) {
		where := ""
		if placement != tenancy.MainPlacement {
			where = " of " + placement
		}
		what := "up to date"
		if len(applied) > 0 {
			what = fmt.Sprintf("applied %d, now at %s", len(applied), applied[len(applied)-1])
		}
		fmt.Fprintf(out, "control schema%s: %s\n", where, what)
	})
}

// withSchemas runs fn with what migrating needs.
func withSchemas(ctx context.Context, fn func(*wiregen.Schemas) error) error {
	cfg, err := config.Load(os.Environ())
	if err != nil {
		return err
	}
	s, cleanup, err := wiregen.NewSchemas(ctx, cfg)
	if err != nil {
		return err
	}
	defer cleanup()
	return fn(s)
}
