package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/insulahq/insula/modules/tenants/domain"
	tenantsservice "github.com/insulahq/insula/modules/tenants/service"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func tenantSuspendCommand() *cobra.Command {
	return lifeCommand("suspend SLUG", "Take a tenant out of service, on every node at its next request.",
		func(ctx context.Context, s *tenantsservice.Tenants, t domain.Tenant, out io.Writer) error {
			return printLife(out)(s.Suspend(ctx, t.ID))
		})
}

func tenantResumeCommand() *cobra.Command {
	return lifeCommand("resume SLUG", "Put a suspended tenant back into service.",
		func(ctx context.Context, s *tenantsservice.Tenants, t domain.Tenant, out io.Writer) error {
			return printLife(out)(s.Resume(ctx, t.ID))
		})
}

func tenantDeleteCommand() *cobra.Command {
	return lifeCommand("delete SLUG", "Delete a tenant; until its grace is over it can be brought back.",
		func(ctx context.Context, s *tenantsservice.Tenants, t domain.Tenant, out io.Writer) error {
			d, err := s.Delete(ctx, t.ID, 0)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(out, "tenant %s is %s; it can be brought back until %s\n",
				d.Tenant.Slug, d.Tenant.Status, d.EraseAfter.UTC().Format(time.RFC3339))
			return err
		})
}

func tenantUndeleteCommand() *cobra.Command {
	return lifeCommand("undelete SLUG", "Bring a deleted tenant back as it was.",
		func(ctx context.Context, s *tenantsservice.Tenants, t domain.Tenant, out io.Writer) error {
			return printLife(out)(s.Undelete(ctx, t.ID))
		})
}

// lifeCommand makes a command that does one thing to one tenant.
func lifeCommand(use, short string, do func(context.Context, *tenantsservice.Tenants, domain.Tenant, io.Writer) error) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				t, err := p.Directory.Registered(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				s, err := wiregen.OperatorTenants(cmd.Context(), p)
				if err != nil {
					return err
				}
				return do(cmd.Context(), s, t, cmd.OutOrStdout())
			})
		},
	}
}

// printLife says where a tenant is now.
func printLife(out io.Writer) func(domain.Tenant, error) error {
	return func(t domain.Tenant, err error) error {
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "tenant %s is %s\n", t.Slug, t.Status)
		return err
	}
}
