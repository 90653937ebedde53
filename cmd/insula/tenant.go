package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/insulahq/insula/modules/tenants/domain"
	tenantsservice "github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/tenancy"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func tenantCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "tenant", Short: "Administer tenants."}
	cmd.AddCommand(tenantCreateCommand(), tenantInviteCommand(), tenantListCommand(),
		tenantSuspendCommand(), tenantResumeCommand(), tenantDeleteCommand(), tenantUndeleteCommand(), tenantSettingsCommand(), tenantUsageCommand(),
		tenantBackupCommand(), tenantBackupsCommand(), tenantFetchBackupCommand(), tenantDeleteBackupCommand(),
		tenantRestoreCommand(), tenantCloneCommand(), tenantMoveCommand(), tenantFollowCommand(),
		tenantEraseCommand(), receiptCommand())
	return cmd
}

type createFlags struct {
	slug, name, kind, email, placement string
	asJSON                             bool
}

func tenantCreateCommand() *cobra.Command {
	var f createFlags
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create a tenant and print the one-time token of its first administrator.",
		Long: "Create a tenant and print the one-time token of its first administrator.\n\n" +
			"The first tenant must be the operator's own (--kind operator). A slug that exists is left as it\n" +
			"is, and the command says so; nothing is printed then that could open it.",
		Example: "  insula tenant create --kind operator --slug operator --name Operator --admin-email ops@example.com\n" +
			"  insula tenant create --slug acme --name 'Acme Ltd.' --admin-email ada@acme.example\n" +
			"  insula tenant create --slug beta --name Beta --admin-email bo@beta.example --placement east",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				return createTenant(cmd.Context(), p, f, cmd.OutOrStdout())
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.slug, "slug", "", "short name, small letters, digits and hyphens")
	flags.StringVar(&f.name, "name", "", "name for people")
	flags.StringVar(&f.kind, "kind", string(tenancy.Customer), "customer or operator")
	flags.StringVar(&f.email, "admin-email", "", "address of the first administrator")
	flags.StringVar(&f.placement, "placement", "", "placement that is to house it; the main one unless named")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	for _, name := range []string{"slug", "name", "admin-email"} {
		_ = cmd.MarkFlagRequired(name) // fails only for a flag that does not exist
	}
	return cmd
}

// created is what `tenant create --json` prints.
type created struct {
	Created bool          `json:"created"`
	Tenant  createdTenant `json:"tenant"`
	Admin   *createdAdmin `json:"admin,omitempty"`
}

type createdTenant struct {
	ID        uuid.UUID      `json:"id"`
	Slug      string         `json:"slug"`
	Name      string         `json:"name"`
	Kind      tenancy.Kind   `json:"kind"`
	Status    tenancy.Status `json:"status"`
	Placement string         `json:"placement"`
}

type createdAdmin struct {
	Email string `json:"email"`
	Token string `json:"token"`
}

func createTenant(ctx context.Context, p *wiregen.Process, f createFlags, out io.Writer) error {
	t, err := p.Directory.BySlug(ctx, f.slug)
	if err == nil {
		return printCreated(out, f, created{Tenant: shownTenant(t)})
	}
	if !errors.Is(err, tenancy.ErrUnknown) {
		return err
	}
	made, err := makeTenant(ctx, p, f)
	if err != nil {
		return err
	}
	return invite(ctx, p, f, made, out)
}

// invite makes a one-time token for the first administrator and prints it.
func invite(ctx context.Context, p *wiregen.Process, f createFlags, t domain.Tenant, out io.Writer) error {
	invitation, err := p.Provisioning.Invite(ctx, t)
	if err != nil {
		return err
	}
	if err := p.Ledger.Close(ctx, t.ID, p.Clock.Now()); err != nil {
		return err
	}
	return printCreated(out, f, created{
		Created: true, Tenant: shownTenant(t.Tenant),
		Admin: &createdAdmin{Email: invitation.Email, Token: invitation.Token.Reveal()},
	})
}

func makeTenant(ctx context.Context, p *wiregen.Process, f createFlags) (domain.Tenant, error) {
	if tenancy.Kind(f.kind) != tenancy.Customer {
		if f.placement != "" {
			return domain.Tenant{}, errors.New("the operator's own tenant stays in the main placement: leave --placement out")
		}
		t, err := domain.Register(p.IDs.New(), f.slug, f.name, tenancy.Kind(f.kind), f.email, p.Clock.Now())
		if err != nil {
			return t, err
		}
		return p.Provisioning.Found(ctx, t)
	}
	service, err := wiregen.OperatorTenants(ctx, p)
	if errors.Is(err, domain.ErrNotFound) {
		return domain.Tenant{}, errors.New("there is no operator's tenant yet: create it first, with --kind operator")
	}
	if err != nil {
		return domain.Tenant{}, err
	}
	c, err := service.Create(ctx, tenantsservice.NewTenant{Slug: f.slug, Name: f.name, AdminEmail: f.email, Placement: f.placement})
	if err != nil {
		return domain.Tenant{}, err
	}
	made, err := p.Provisioning.Provision(ctx, c.Tenant)
	if err != nil {
		return made, fmt.Errorf("tenant %s is registered, and a server that runs goes on making it: %w", c.Tenant.Slug, err)
	}
	return made, nil
}

func shownTenant(t tenancy.Tenant) createdTenant {
	return createdTenant{ID: t.ID, Slug: t.Slug, Name: t.Name, Kind: t.Kind, Status: t.Status, Placement: t.Home()}
}

func printCreated(out io.Writer, f createFlags, c created) error {
	if f.asJSON {
		return json.NewEncoder(out).Encode(c)
	}
	if !c.Created {
		_, err := fmt.Fprintf(out, "tenant %s exists already (%s)\n", c.Tenant.Slug, c.Tenant.Status)
		return err
	}
	_, err := fmt.Fprintf(out, "tenant %s is %s\nfirst administrator: %s\none-time token: %s\n",
		c.Tenant.Slug, c.Tenant.Status, c.Admin.Email, c.Admin.Token)
	return err
}

func tenantInviteCommand() *cobra.Command {
	var f createFlags
	cmd := &cobra.Command{
		Use:   "invite",
		Short: "Print a new one-time token for a tenant's first administrator, who has not used one yet.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				known, err := p.Directory.BySlug(cmd.Context(), f.slug)
				if err != nil {
					return err
				}
				t, err := p.Ledger.Tenant(cmd.Context(), known.ID)
				if err != nil {
					return err
				}
				if err := wiregen.Note(cmd.Context(), p, tenantsservice.Invite, t.Tenant); err != nil {
					return err
				}
				return invite(cmd.Context(), p, f, t, cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().StringVar(&f.slug, "slug", "", "the tenant")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("slug") // fails only for a flag that does not exist
	return cmd
}

func tenantListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tenants that are served or suspended.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				all, err := p.Directory.Served(cmd.Context())
				if err != nil {
					return err
				}
				return printTenants(cmd.OutOrStdout(), all, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one tenant a line")
	return cmd
}

func printTenants(out io.Writer, all []domain.Tenant, asJSON bool) error {
	if asJSON {
		lines := json.NewEncoder(out)
		for _, t := range all {
			if err := lines.Encode(shownTenant(t.Tenant)); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SLUG\tSTATUS\tKIND\tPLACEMENT\tID\tNAME")
	for _, t := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", t.Slug, t.Status, t.Kind, t.Home(), t.ID, t.Name)
	}
	return w.Flush()
}

// withProcess runs fn with the parts of the process, which log warnings only:
// what a command has to say it prints.
func withProcess(ctx context.Context, fn func(*wiregen.Process) error) error {
	cfg, err := config.Load(os.Environ())
	if err != nil {
		return err
	}
	cfg.Log.Level = max(cfg.Log.Level, slog.LevelWarn)
	p, cleanup, err := wiregen.NewProcess(ctx, cfg, os.Stderr)
	if err != nil {
		return err
	}
	defer cleanup()
	return fn(p)
}
