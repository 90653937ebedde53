package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/platform/pg/fleet"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func fleetVerifyCommand() *cobra.Command {
	var f fleetFlags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Compare the real schema and rights of every tenant, and of the spare schemas, with the declared ones, and name what has drifted.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return withSchemas(cmd.Context(), func(s *wiregen.Schemas) error {
				out := cmd.OutOrStdout()
				v, err := s.Fleet.Verify(cmd.Context(), fleet.VerifyOptions{
					Slugs: f.tenants, Parallel: f.parallel, Told: func(found fleet.Finding) { printFinding(out, found, f.asJSON) },
				})
				if err != nil {
					return err
				}
				return printVerified(out, v, f.asJSON)
			})
		},
	}
	f.addSelection(cmd)
	f.addParallel(cmd)
	return cmd
}

func printFinding(out io.Writer, found fleet.Finding, asJSON bool) {
	if asJSON {
		line := map[string]any{"tenant": found.Tenant.Slug, "drift": found.Drift}
		if found.Spare {
			line = map[string]any{"spare": found.Tenant.Schema, "drift": found.Drift}
		}
		_ = json.NewEncoder(out).Encode(line) // as with printing
		return
	}
	who := found.Tenant.Slug
	if found.Spare {
		who = "spare schema " + found.Tenant.Schema
	}
	for _, line := range found.Drift {
		fmt.Fprintf(out, "%s: %s\n", who, line)
	}
}

func printVerified(out io.Writer, v fleet.Verified, asJSON bool) error {
	var err error
	if asJSON {
		err = json.NewEncoder(out).Encode(v)
	} else {
		_, err = fmt.Fprintf(out, "%d tenants and %d spare schemas checked, %d have drifted, %d are newer than this binary\n", v.Checked, v.Spares, v.Drifted, v.Newer)
	}
	if err == nil && v.Drifted > 0 {
		return errDrift
	}
	return err
}
