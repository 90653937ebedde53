package main

import (
	"cmp"
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	"github.com/insulahq/insula/modules/tenants/domain"
	tenantsservice "github.com/insulahq/insula/modules/tenants/service"
	wiregen "github.com/insulahq/insula/wire_gen"
)

// newFlags name a tenant that is to be made.
type newFlags struct{ slug, name, placement string }

func (f *newFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.slug, "as", "", "slug of the new tenant")
	cmd.Flags().StringVar(&f.name, "name", "", "name of the new tenant; that of the old one unless given")
	cmd.Flags().StringVar(&f.placement, "to", "", "placement that is to house the new tenant; the main one unless named")
}

// of is the tenant to make, which has the name of the old one unless it is given
// another.
func (f newFlags) of(t domain.Tenant) tenantsservice.NewTenant {
	return tenantsservice.NewTenant{Slug: f.slug, Name: cmp.Or(f.name, t.Name), Placement: f.placement}
}

func tenantRestoreCommand() *cobra.Command {
	var which backupFlag
	var fresh newFlags
	var inPlace bool
	var f longFlags
	cmd := &cobra.Command{
		Use:   "restore SLUG",
		Short: "Make a new tenant of a backup, or put the tenant back to it.",
		Long: "Make a new tenant of a backup, or put the tenant back to it.\n\n" +
			"Nothing changes for anybody before the whole archive has been checked. With --in-place everybody signs in\n" +
			"again afterwards, and what was written since the backup is gone but for the audit trail.",
		Example: "  insula tenant restore acme --backup 019fb1f3-… --as acme-restored --wait\n" +
			"  insula tenant restore acme --backup 019fb1f3-… --as acme-east --to east --wait\n" +
			"  insula tenant restore acme --backup 019fb1f3-… --in-place --wait",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if inPlace == (fresh.slug != "") {
				return errors.New("say either --as SLUG, for a new tenant, or --in-place, to put the tenant back to the backup")
			}
			return which.with(cmd.Context(), args[0], func(p *wiregen.Process, s *tenantsservice.Backups, t domain.Tenant, id uuid.UUID) error {
				r := tenantsservice.Restoration{Tenant: t.ID, Backup: id, InPlace: inPlace, Placement: fresh.placement}
				if !inPlace {
					named := fresh.of(t)
					r.Slug, r.Name = named.Slug, named.Name
				}
				made, err := s.Restore(cmd.Context(), r)
				return finishCopy(cmd, p, f, made, err)
			})
		},
	}
	which.add(cmd)
	fresh.add(cmd)
	cmd.Flags().BoolVar(&inPlace, "in-place", false, "put the tenant itself back to the backup")
	f.add(cmd)
	return cmd
}

func tenantCloneCommand() *cobra.Command {
	var fresh newFlags
	var f longFlags
	cmd := &cobra.Command{
		Use:   "clone SLUG",
		Short: "Make a new tenant that has what another one has.",
		Long: "Make a new tenant that has what another one has.\n\n" +
			"It has the people, roles, files and records of the other, but none of its sessions, API keys and shared links.",
		Example: "  insula tenant clone acme --as acme-staging --wait",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withBackups(cmd.Context(), args[0], func(p *wiregen.Process, s *tenantsservice.Backups, t domain.Tenant) error {
				made, err := s.Clone(cmd.Context(), t.ID, fresh.of(t))
				return finishCopy(cmd, p, f, made, err)
			})
		},
	}
	fresh.add(cmd)
	_ = cmd.MarkFlagRequired("as") // fails only for a flag that does not exist
	f.add(cmd)
	return cmd
}

// finishCopy tells of a tenant that is being made or put back.
func finishCopy(cmd *cobra.Command, p *wiregen.Process, f longFlags, made tenantsservice.Begun, err error) error {
	if err != nil {
		return err
	}
	b := begun{Operation: tenantsapi.ShowOperation(made.Operation), Slug: made.Tenant.Slug}
	return finish(cmd, p, f, b, func(context.Context, *begun) error { return nil })
}
