package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/insulahq/insula/platform/pg/catalog"
)

func fingerprintCommand(p *project) *cobra.Command {
	var list bool
	var live, schema, scopeName string
	cmd := &cobra.Command{
		Use:   "fingerprint",
		Short: "Print the fingerprints of the migrated scopes, or compare a live schema with them",
		Long: `Without flags, print for each scope the fingerprint of what its migrations build.

With --database and --schema, compare that live schema with what the migrations build and name what drifted.
Fingerprints compare only between servers of one major version, so for a live schema the scratch databases should
be made on a server of the same version (--url).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, w := cmd.Context(), cmd.OutOrStdout()
			return p.withServer(ctx, func(s *server) error {
				return s.withDatabase(ctx, func(migrated *database) error {
					if err := p.buildMigrated(ctx, migrated); err != nil {
						return err
					}
					if live == "" {
						return printFingerprints(ctx, w, migrated, list)
					}
					of, err := scopeByName(scopeName)
					if err != nil {
						return err
					}
					return compareLive(ctx, w, migrated, of, live, schema)
				})
			})
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "print every object too")
	cmd.Flags().StringVar(&live, "database", "", "URL of a live database")
	cmd.Flags().StringVar(&schema, "schema", "", "schema in the live database")
	cmd.Flags().StringVar(&scopeName, "scope", tenant.name, "what the live schema should be: control or tenant")
	cmd.MarkFlagsRequiredTogether("database", "schema")
	return cmd
}

func printFingerprints(ctx context.Context, w io.Writer, migrated *database, list bool) error {
	for _, s := range scopes {
		c, err := migrated.catalog(ctx, s)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s %s\n", s.name, c.Fingerprint())
		for _, o := range c {
			if list {
				fmt.Fprintf(w, "  %s\n", o)
			}
		}
	}
	return nil
}

// compareLive names what a schema that somebody uses has besides, or instead of, what the migrations build.
func compareLive(ctx context.Context, w io.Writer, migrated *database, s scope, url, schema string) error {
	want, err := migrated.catalog(ctx, s)
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to the live database: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // it has only read
	got, err := catalog.Read(ctx, conn, schema)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s %s\n", schema, got.Fingerprint())
	lines := catalog.Diff(want, got)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	if len(lines) > 0 {
		return errors.New("the schema drifted from what its migrations build")
	}
	return nil
}
