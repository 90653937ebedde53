package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/insulahq/insula/modules/tenants/domain"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func tenantEraseCommand() *cobra.Command {
	var slug, confirm string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "erase",
		Short: "Erase a deleted tenant for good and print the signed receipt.",
		Long: "Erase a deleted tenant for good and print the signed receipt.\n\n" +
			"Schema, role, objects, archives, cache keys, queued work and entries in the control schema go; the receipt\n" +
			"and the operator's trail stay. Interrupted, the command can be run again, and a server that runs goes on\n" +
			"by itself. The slug must be given twice, as --slug and as --confirm.",
		Example: "  insula tenant erase --slug acme --dry-run\n" +
			"  insula tenant erase --slug acme --confirm acme > acme.receipt",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !dryRun && confirm != slug {
				return errors.New("--confirm must be the slug of the tenant that is to be erased")
			}
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				if dryRun {
					return previewErasure(cmd.Context(), p, slug, cmd.OutOrStdout())
				}
				return eraseTenant(cmd.Context(), p, slug, cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().StringVar(&slug, "slug", "", "the tenant")
	cmd.Flags().StringVar(&confirm, "confirm", "", "its slug once more")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only print what would go")
	_ = cmd.MarkFlagRequired("slug") // fails only for a flag that does not exist
	return cmd
}

func previewErasure(ctx context.Context, p *wiregen.Process, slug string, out io.Writer) error {
	t, err := p.Ledger.TenantBySlug(ctx, slug)
	if err != nil {
		return err
	}
	h, err := p.Erasures.Preview(ctx, t)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "tenant %s (%s) is %s\nwould go:\n%s", t.Slug, t.ID, t.Status, held(h))
	return err
}

// held tells a person how much there is of a tenant.
func held(h domain.Holdings) string {
	return fmt.Sprintf("  %d tables with %d rows, %d bytes\n  %d objects, %d bytes\n  %d pieces of queued work\n  %d rows of the control schema\n",
		h.Tables, h.Rows, h.DatabaseBytes, h.Objects, h.ObjectBytes, h.Jobs, h.ControlRows)
}

func eraseTenant(ctx context.Context, p *wiregen.Process, slug string, out io.Writer) error {
	t, err := p.Ledger.TenantBySlug(ctx, slug)
	if err != nil {
		return err
	}
	service, err := wiregen.OperatorTenants(ctx, p)
	if err != nil {
		return err
	}
	if _, err := service.Erase(ctx, t.ID, slug); err != nil {
		if _, begun, lerr := p.Ledger.Erasure(ctx, t.ID); lerr != nil || !begun {
			return errors.Join(err, lerr)
		}
	}
	if err := <-p.Eraser.Start(t.ID); err != nil {
		return err
	}
	r, err := service.Receipt(ctx, t.ID)
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, r.Note)
	return err
}

func receiptCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "receipt", Short: "Show and verify receipts of erased tenants."}
	cmd.AddCommand(receiptShowCommand(), receiptKeyCommand(), receiptVerifyCommand())
	return cmd
}

func receiptShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show TENANT-ID",
		Short: "Print the signed receipt of an erased tenant.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return fmt.Errorf("tenant id: %w", err)
			}
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				service, err := wiregen.OperatorTenants(cmd.Context(), p)
				if err != nil {
					return err
				}
				r, err := service.Receipt(cmd.Context(), id)
				if err != nil {
					return err
				}
				_, err = io.WriteString(cmd.OutOrStdout(), r.Note)
				return err
			})
		},
	}
}

func receiptKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "key",
		Short: "Print the public key that verifies receipts of this installation.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withProcess(cmd.Context(), func(p *wiregen.Process) error {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), p.Receipts.Public())
				return err
			})
		},
	}
}

// maxReceipt bounds a file that is said to be a receipt, in bytes.
const maxReceipt = 64 << 10

func receiptVerifyCommand() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:     "verify FILE",
		Short:   "Check a receipt without the installation, with its public key alone.",
		Long:    "Check a receipt without the installation, with its public key alone. A file named - is the standard input.",
		Example: "  insula tenant receipt verify acme.receipt --key insula-erasures+…",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			signed, err := readReceipt(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			r, err := domain.OpenReceipt(signed, key)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "genuine: tenant %s (%s) was erased at %s\n%s",
				r.Slug, r.Tenant, r.ErasedAt.Format("2006-01-02 15:04:05 MST"), held(r.Holdings))
			return err
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "what insula tenant receipt key prints")
	_ = cmd.MarkFlagRequired("key") // fails only for a flag that does not exist
	return cmd
}

func readReceipt(name string, standard io.Reader) (string, error) {
	in := standard
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxReceipt))
	return string(text), err
}
