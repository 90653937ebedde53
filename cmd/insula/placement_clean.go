package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/modules/tenants/domain"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func placementCleanCommand() *cobra.Command {
	var forget bool
	cmd := &cobra.Command{
		Use:   "clean PLACEMENT",
		Short: "Remove what moves that were given up have left in a placement.",
		Long: "Remove what moves that were given up have left in a placement.\n\n" +
			"A server that runs does so by itself once the placement answers again. With --forget nothing is removed and\n" +
			"nothing is noted any more: for a placement that will never answer again.",
		Example: "  insula placement clean east\n  insula placement clean east --forget",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				noted, err := p.Transfer.Remains(cmd.Context())
				if err != nil {
					return err
				}
				done, do := "removed", p.Transfer.Sweep
				if forget {
					done, do = "forgotten", p.Transfer.Forget
				}
				var failed []error
				for _, r := range remainsIn(noted, args[0]) {
					if err := do(cmd.Context(), r.ID); err != nil {
						failed = append(failed, fmt.Errorf("tenant %s: %w", r.Tenant, err))
						continue
					}
					fmt.Fprintf(cmd.OutOrStdout(), "what %s has of tenant %s is %s\n", r.Placement, r.Tenant, done)
				}
				return errors.Join(failed...)
			})
		},
	}
	cmd.Flags().BoolVar(&forget, "forget", false, "only take away the notes: the placement is gone for good")
	return cmd
}

// remainsIn are those of one placement.
func remainsIn(all []domain.Remains, placement string) []domain.Remains {
	return slices.DeleteFunc(slices.Clone(all), func(r domain.Remains) bool { return r.Placement != placement })
}
