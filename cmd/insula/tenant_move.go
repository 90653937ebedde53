package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	"github.com/insulahq/insula/modules/tenants/domain"
	tenantsservice "github.com/insulahq/insula/modules/tenants/service"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func tenantMoveCommand() *cobra.Command {
	var to string
	var dryRun, giveUp bool
	var f longFlags
	cmd := &cobra.Command{
		Use:   "move SLUG --to PLACEMENT",
		Short: "Bring a tenant to another placement while it works.",
		Long: "Bring a tenant to another placement while it works.\n\n" +
			"Its rows are copied, and what changes meanwhile follows; at the end its writers wait for a moment, which is\n" +
			"told in milliseconds. Until that moment the tenant is where it was, whatever fails. Afterwards its old rows\n" +
			"are removed.\n\n" +
			"With --give-up a move that is under way is ended although one of its servers is gone for good, if nothing is\n" +
			"lost by that. What that server has is noted, and removed when it answers again.",
		Example: "  insula tenant move acme --to east --dry-run\n" +
			"  insula tenant move acme --to east --wait\n" +
			"  insula tenant move acme --give-up",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if giveUp {
				return giveUpMove(cmd, args[0], f.asJSON)
			}
			return withBackups(cmd.Context(), args[0], func(p *wiregen.Process, s *tenantsservice.Backups, t domain.Tenant) error {
				if dryRun {
					return planMove(cmd.Context(), p, t, to, f.asJSON, cmd.OutOrStdout())
				}
				made, err := s.Move(cmd.Context(), t.ID, to)
				if err != nil {
					return err
				}
				return finish(cmd, p, f, begun{Operation: tenantsapi.ShowOperation(made.Operation)}, func(context.Context, *begun) error { return nil })
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "placement to bring it to")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "look at both places and say what there is to move; change nothing")
	cmd.Flags().BoolVar(&giveUp, "give-up", false, "end the move that is under way: one of its servers is gone for good")
	cmd.MarkFlagsOneRequired("to", "give-up")
	for _, other := range []string{"to", "dry-run"} {
		cmd.MarkFlagsMutuallyExclusive("give-up", other)
	}
	f.add(cmd)
	return cmd
}

// plannedMove is what a dry run finds.
type plannedMove struct {
	Slug        string `json:"slug"`
	From        string `json:"from"`
	To          string `json:"to"`
	Tables      int64  `json:"tables"`
	Rows        int64  `json:"rows"`
	Bytes       int64  `json:"bytes"`
	TargetBytes int64  `json:"target_bytes"`
}

// planMove finds out what a move would do, and refuses what the move would.
func planMove(ctx context.Context, p *wiregen.Process, t domain.Tenant, to string, asJSON bool, out io.Writer) error {
	m, err := p.MovePlans.Plan(ctx, t, to)
	if err != nil {
		return err
	}
	plan := plannedMove{Slug: t.Slug, From: m.From, To: m.To, Tables: m.Tables, Rows: m.Rows, Bytes: m.Bytes, TargetBytes: m.TargetBytes}
	if asJSON {
		return json.NewEncoder(out).Encode(plan)
	}
	fmt.Fprintf(out, "%s would go from %s to %s: %d tables, %d rows, %d bytes with indexes\n", plan.Slug, plan.From, plan.To, plan.Tables, plan.Rows, plan.Bytes)
	_, err = fmt.Fprintf(out, "the database of %s has %d bytes now: see that its disk has room for what comes\n", plan.To, plan.TargetBytes)
	return err
}

// printMoved tells how a move went.
func printMoved(out io.Writer, m tenantsapi.MoveResult) {
	fmt.Fprintf(out, "moved from %s to %s: %d rows, %d bytes; writers waited %d ms\n", m.From, m.To, m.Rows, m.Bytes, m.WindowMS)
}
