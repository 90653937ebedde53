package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	filesservice "github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/platform/tenancy"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func filesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "files", Short: "Look after the files of tenants."}
	cmd.AddCommand(filesSweepCommand())
	return cmd
}

func filesSweepCommand() *cobra.Command {
	var slug string
	var dry, asJSON bool
	cmd := &cobra.Command{
		Use:   "sweep",
		Short: "Remove uploads that were given up, deleted files past their retention, and strays in the object store.",
		Long: "Remove uploads that were given up, deleted files past their retention, and strays in the object store.\n\n" +
			"The server does this by itself, regularly (INSULA_FILES_SWEEP_EVERY). Files whose content the object store\n" +
			"has lost are kept from being read, and reported; once it has their content again (the same, by its\n" +
			"SHA-256) they can be read again.",
		Example: "  insula files sweep --dry-run\n  insula files sweep --tenant acme",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				tenants, err := sweptTenants(cmd.Context(), p, slug)
				if err != nil {
					return err
				}
				show := printSwept
				if asJSON {
					show = printSweptJSON
				}
				all, failed := sweep(cmd.Context(), wiregen.FileSweeper(p), tenants, dry)
				return errors.Join(show(cmd.OutOrStdout(), all, dry), failed)
			})
		},
	}
	cmd.Flags().StringVar(&slug, "tenant", "", "slug of one tenant; without it, all that are served")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one object a line")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "change nothing, and tell what would be done")
	return cmd
}

func sweptTenants(ctx context.Context, p *wiregen.Process, slug string) ([]tenancy.Tenant, error) {
	if slug == "" {
		return p.Directory.ServedTenants(ctx)
	}
	t, err := p.Directory.BySlug(ctx, slug)
	return []tenancy.Tenant{t}, err
}

// swept is how the sweep of one tenant went.
type swept struct {
	Tenant string `json:"tenant"`
	Dry    bool   `json:"dry_run"`
	filesservice.Report
	Error string `json:"error,omitempty"`
}

// sweep goes through the tenants. One that fails does not keep the others from
// being swept.
func sweep(ctx context.Context, s *filesservice.Sweeper, tenants []tenancy.Tenant, dry bool) (all []swept, failed error) {
	for _, t := range tenants {
		if ctx.Err() != nil {
			return all, errors.Join(failed, ctx.Err())
		}
		r, err := s.Sweep(ctx, t, dry)
		one := swept{Tenant: t.Slug, Dry: dry, Report: r}
		if err != nil {
			failed, one.Error = errors.Join(failed, fmt.Errorf("%s: %w", t.Slug, err)), err.Error()
		}
		all = append(all, one)
	}
	return all, failed
}

func printSwept(out io.Writer, all []swept, dry bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TENANT\tUPLOADS\tDELETIONS\tREQUEUED\tSTRAYS\tBYTES\tPARTS\tLOST\tFOUND\tSTRANGE")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", s.Tenant, s.Uploads, s.Deletions, s.Requeued, s.Strays, s.Bytes, s.Parts, s.Lost, s.Found, s.Strange)
	}
	if dry {
		fmt.Fprintln(w, "Nothing was changed.")
	}
	return w.Flush()
}

func printSweptJSON(out io.Writer, all []swept, _ bool) error {
	lines := json.NewEncoder(out)
	for _, s := range all {
		if err := lines.Encode(s); err != nil {
			return err
		}
	}
	return nil
}
