package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/platform/pg/fleet"
	wiregen "github.com/insulahq/insula/wire_gen"
)

// Exit codes beyond 1, which is everything else that went wrong.
const (
	exitCanary = 2
	exitFailed = 3
	exitDrift  = 4
	exitFrozen = 5
)

const exitCodes = "Exit codes: 0 done, 1 error, 2 a canary failed and nothing was begun after it, 3 some tenants failed,\n" +
	"4 a schema has drifted (verify), 5 the fleet is frozen."

var errDrift = errors.New("schemas have drifted")

func exitCode(err error) int {
	for code, cause := range map[int]error{
		exitCanary: fleet.ErrCanary, exitFailed: fleet.ErrFailed, exitDrift: errDrift, exitFrozen: fleet.ErrFrozen,
	} {
		if errors.Is(err, cause) {
			return code
		}
	}
	return 1
}

func fleetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fleet",
		Short: "Bring the schemas of all tenants to a new version, carefully.",
		Long: "Bring the schemas of all tenants to a new version, carefully.\n\n" +
			"The control schema is brought up by `insula migrate`, or by `fleet apply` before anything else. Each tenant\n" +
			"is one transaction and one lock: what is killed or fails leaves it as it was, and the next apply goes on.\n" +
			"A running server serves tenants at the newest version it knows and at the one before.\n\n" + exitCodes,
	}
	cmd.AddCommand(fleetPlanCommand(), fleetApplyCommand(), fleetRetryCommand(), fleetStatusCommand(),
		fleetVerifyCommand(), fleetFreezeCommand(), fleetThawCommand())
	return cmd
}

type fleetFlags struct {
	parallel, canary, wave int
	tenants                []string
	dryRun, asJSON         bool
}

const (
	defaultParallel = 4
	maxParallel     = 64
)

func (f *fleetFlags) addSelection(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.tenants, "tenant", nil, "slug of a tenant; may be repeated; all without it")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON, one object a line")
}

func (f *fleetFlags) addParallel(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.parallel, "parallel", defaultParallel, fmt.Sprintf("tenants at once, 1 to %d", maxParallel))
}

func (f *fleetFlags) add(cmd *cobra.Command) {
	f.addSelection(cmd)
	f.addParallel(cmd)
	cmd.Flags().IntVar(&f.canary, "canary", 0, "take so many first, one by one, and stop at the first that fails")
	cmd.Flags().IntVar(&f.wave, "wave", 0, "take so many, then go on only if none of them failed; 0 takes all")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only print the plan")
}

func (f *fleetFlags) check() error {
	if f.parallel < 1 || f.parallel > maxParallel || f.canary < 0 || f.wave < 0 {
		return fmt.Errorf("out of bounds: --parallel 1 to %d, --canary and --wave not below 0", maxParallel)
	}
	return nil
}

func (f *fleetFlags) options(failed bool) fleet.Options {
	return fleet.Options{
		Selection: fleet.Selection{Slugs: f.tenants, Failed: failed},
		Parallel:  f.parallel, Canary: f.canary, Wave: f.wave,
	}
}

func fleetPlanCommand() *cobra.Command {
	var f fleetFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Print which tenants are behind, in the order in which they will be taken.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withSchemas(cmd.Context(), func(s *wiregen.Schemas) error {
				p, err := s.Fleet.Plan(cmd.Context(), f.options(false).Selection)
				if err != nil {
					return err
				}
				return printPlan(cmd.OutOrStdout(), p, f.asJSON)
			})
		},
	}
	f.addSelection(cmd)
	return cmd
}

func fleetApplyCommand() *cobra.Command {
	return applying("apply", "Bring the tenants that are behind to the newest version, the control schema first.", false)
}

func fleetRetryCommand() *cobra.Command {
	return applying("retry", "Try exactly the tenants again whose last attempt failed.", true)
}

func applying(use, short string, failed bool) *cobra.Command {
	var f fleetFlags
	cmd := &cobra.Command{
		Use: use, Short: short, Long: short + "\n\n" + exitCodes,
		Example: "  insula fleet " + use + " --canary 3 --wave 100 --parallel 8",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, out := cmd.Context(), cmd.OutOrStdout()
			if err := f.check(); err != nil {
				return err
			}
			return withSchemas(ctx, func(s *wiregen.Schemas) error {
				if f.dryRun {
					p, err := s.Fleet.Plan(ctx, f.options(failed).Selection)
					if err != nil {
						return err
					}
					return printPlan(out, p, f.asJSON)
				}
				if err := s.Placements.UpgradeControl(ctx, func(string, []string) {}); err != nil {
					return err
				}
				return applyFleet(ctx, s.Fleet, f.options(failed), newTeller(out, cmd.ErrOrStderr(), f.asJSON))
			})
		},
	}
	f.add(cmd)
	return cmd
}

// applyFleet runs an apply and tells how it goes.
func applyFleet(ctx context.Context, fl *fleet.Fleet, o fleet.Options, t *teller) error {
	o.Planned, o.Told = t.planned, t.outcome
	report, err := fl.Apply(ctx, o)
	return errors.Join(err, t.end(report))
}

func fleetStatusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Count the tenants by version, and name those whose last attempt failed.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withSchemas(cmd.Context(), func(s *wiregen.Schemas) error {
				st, err := s.Fleet.Status(cmd.Context())
				if err != nil {
					return err
				}
				return printStatus(cmd.OutOrStdout(), st, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func fleetFreezeCommand() *cobra.Command {
	var reason, by string
	cmd := &cobra.Command{
		Use:   "freeze",
		Short: "Keep all tenants as they are until `insula fleet thaw`; those under way are finished.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withSchemas(cmd.Context(), func(s *wiregen.Schemas) error {
				if err := s.Fleet.Freeze(cmd.Context(), reason, by); err != nil {
					return err
				}
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "frozen")
				return err
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for those who run into it")
	cmd.Flags().StringVar(&by, "by", "", "who")
	for _, name := range []string{"reason", "by"} {
		_ = cmd.MarkFlagRequired(name) // fails only for a flag that does not exist
	}
	return cmd
}

func fleetThawCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "thaw",
		Short: "End a freeze.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withSchemas(cmd.Context(), func(s *wiregen.Schemas) error {
				thawed, err := s.Fleet.Thaw(cmd.Context())
				if err != nil {
					return err
				}
				said := "thawed"
				if !thawed {
					said = "was not frozen"
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), said)
				return err
			})
		},
	}
}
