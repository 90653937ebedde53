package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/platform/config"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the control schema and every tenant's schema to the newest version.",
		Long: "Bring the control schema and every tenant's schema to the newest version.\n\n" +
			"Each schema is one transaction: after a failure it is as it was, and the others are not touched.\n" +
			"Running it again does only what is missing.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(os.Environ())
			if err != nil {
				return err
			}
			return migrate(cmd.Context(), cfg, cmd.OutOrStdout())
		},
	}
}

func migrate(ctx context.Context, cfg config.Config, out io.Writer) error {
	s, cleanup, err := wiregen.NewSchemas(ctx, cfg)
	if err != nil {
		return err
	}
	defer cleanup()
	applied, err := s.Migrator.UpgradeControl(ctx)
	if err != nil {
		return fmt.Errorf("control schema: %w", err)
	}
	fmt.Fprintf(out, "control schema: %s\n", summary(applied))
	all, err := s.Directory.Served(ctx)
	if err != nil {
		return err
	}
	for i, t := range all {
		applied, err := s.Migrator.UpgradeTenant(ctx, t.Schema)
		if err != nil {
			return fmt.Errorf("tenant %s (%d of %d): %w", t.Slug, i+1, len(all), err)
		}
		fmt.Fprintf(out, "tenant %d/%d %s: %s\n", i+1, len(all), t.Slug, summary(applied))
	}
	return nil
}

func summary(applied []string) string {
	if len(applied) == 0 {
		return "up to date"
	}
	return fmt.Sprintf("applied %d, now at %s", len(applied), applied[len(applied)-1])
}
