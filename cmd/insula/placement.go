package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/platform/pg"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func placementCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "placement", Short: "See the databases that house tenants."}
	cmd.AddCommand(placementListCommand(), placementCleanCommand())
	return cmd
}

func placementListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the databases that house tenants, how many each has, and whether it answers.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				all, err := placements(cmd.Context(), p)
				if err != nil {
					return err
				}
				return printPlacements(cmd.OutOrStdout(), all, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// placement is a database as it is printed.
type placement struct {
	Name      string `json:"name"`
	Tenants   int64  `json:"tenants"`
	Reachable bool   `json:"reachable"`
	Error     string `json:"error,omitempty"`
	Server    string `json:"server,omitempty"`  // version of PostgreSQL
	Control   string `json:"control,omitempty"` // newest migration of its control schema
	Pending   int    `json:"pending"`           // migrations that it lacks
	Remains   int    `json:"remains"`           // tenants whose move was given up and that may have rows there
}

// placements asks all that are configured, and names those that the registry
// has tenants in and nobody told this process of.
func placements(ctx context.Context, p *wiregen.Process) ([]placement, error) {
	houses, err := p.Mirror.Houses(ctx)
	if err != nil {
		return nil, err
	}
	noted, err := p.Transfer.Remains(ctx)
	if err != nil {
		return nil, err
	}
	var all []placement
	for name, m := range p.Placements.Each() {
		all = append(all, condition(ctx, name, m, houses[name]))
		delete(houses, name)
	}
	for _, r := range noted { // also of those that house nobody
		if _, err := p.Placements.Of(r.Placement); err != nil {
			houses[r.Placement] += 0
		}
	}
	for _, name := range slices.Sorted(maps.Keys(houses)) {
		all = append(all, placement{Name: name, Tenants: houses[name], Error: "is not configured here"})
	}
	for i := range all {
		all[i].Remains = len(remainsIn(noted, all[i].Name))
	}
	return all, nil
}

func condition(ctx context.Context, name string, m *pg.Migrator, tenants int64) placement {
	ctx, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	c, err := m.Condition(ctx)
	if err != nil {
		return placement{Name: name, Tenants: tenants, Error: err.Error()}
	}
	return placement{Name: name, Tenants: tenants, Reachable: true, Server: c.Server, Control: c.Control, Pending: c.Pending}
}

func printPlacements(out io.Writer, all []placement, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(all)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PLACEMENT\tTENANTS\tPOSTGRESQL\tCONTROL SCHEMA")
	for _, p := range all {
		if !p.Reachable {
			fmt.Fprintf(w, "%s\t%d\taway\t%s\n", p.Name, p.Tenants, p.Error)
			continue
		}
		control := p.Control
		if p.Pending > 0 {
			control = fmt.Sprintf("%s, %d behind", p.Control, p.Pending)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", p.Name, p.Tenants, p.Server, control)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, p := range all {
		if p.Remains > 0 {
			fmt.Fprintf(out, "%s may have rows of %d tenants whose moves were given up: see insula placement clean --help\n", p.Name, p.Remains)
		}
	}
	return nil
}
