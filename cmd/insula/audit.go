package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/tlog"

	auditapi "github.com/insulahq/insula/modules/audit/api"
	"github.com/insulahq/insula/modules/audit/domain"
	auditservice "github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	wiregen "github.com/insulahq/insula/wire_gen"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Check and export the audit trail of a tenant."}
	cmd.AddCommand(auditVerifyCommand(), auditExportCommand(), auditKeyCommand(), auditProofCommand())
	return cmd
}

// errUnfit ends a check that found something with another exit code than 0.
var errUnfit = errors.New("the trail does not fit its signed heads")

type verifyFlags struct {
	tenant, heads, export, key string
	asJSON                     bool
}

func auditVerifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check every record of a trail against its signed heads, and name the first that does not fit.",
		Long: "Check every record of a trail against its signed heads, and name the first that does not fit.\n\n" +
			"With --tenant it reads the database and the object store. With --export it needs neither: it holds\n" +
			"the file against the heads of --heads, which must be signed with --key. The file of heads has lines\n" +
			"of JSON as the object store (<tenant id>/audit/heads/) and the log (\"audit tree head\") have them.",
		Example: "  insula audit verify --tenant acme --heads kept-heads.ndjson\n" +
			"  insula audit verify --export audit-acme.ndjson --heads kept-heads.ndjson --key 'insula-audit/…'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := f.run(cmd.Context())
			if err != nil {
				return err
			}
			return printReport(cmd.OutOrStdout(), report, f.asJSON)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.tenant, "tenant", "", "slug of the tenant whose trail is read from the database")
	flags.StringVar(&f.heads, "heads", "", "file with heads that you have kept")
	flags.StringVar(&f.export, "export", "", "NDJSON export to check instead of the database")
	flags.StringVar(&f.key, "key", "", "verifier key of the tenant, for --export")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON")
	cmd.MarkFlagsOneRequired("tenant", "export")
	cmd.MarkFlagsMutuallyExclusive("tenant", "export")
	cmd.MarkFlagsRequiredTogether("export", "key")
	return cmd
}

func (f verifyFlags) run(ctx context.Context) (report domain.Report, err error) {
	if f.export != "" {
		heads, err := f.kept(f.key)
		if err != nil {
			return report, err
		}
		file, err := os.Open(f.export)
		if err != nil {
			return report, err
		}
		defer file.Close()
		report, err = domain.CheckExport(file, heads, auditservice.Expire.Name)
		report.PublicKey = f.key
		return report, err
	}
	err = withTenantEvidence(ctx, f.tenant, auditservice.Verify, func(e *auditservice.Evidence) error {
		key, err := e.Key(ctx)
		if err != nil {
			return err
		}
		heads, err := f.kept(key)
		if err != nil {
			return err
		}
		report, err = e.Verify(ctx, heads)
		return err
	})
	return report, err
}

// kept reads the heads that the caller has kept.
func (f verifyFlags) kept(key string) ([]domain.Checkpoint, error) {
	if f.heads == "" {
		return nil, nil
	}
	file, err := os.Open(f.heads)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	heads, err := domain.ParseHeads(file, f.heads, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.heads, err)
	}
	return heads, nil
}

func printReport(out io.Writer, r domain.Report, asJSON bool) error {
	if asJSON {
		if err := json.NewEncoder(out).Encode(auditapi.ShowReport(r)); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(out, "records checked:  %d\nremoved by rule:  %d\nnot sealed yet:   %d\nheads that fit:   %d\nkey:              %s\n",
			r.Size, r.Removed, r.Unsealed, r.Heads, r.PublicKey)
		if r.Finding != nil {
			fmt.Fprintln(out, "does not fit:    ", r.Finding)
		} else {
			fmt.Fprintln(out, "every record fits")
		}
	}
	if r.Finding != nil {
		return errUnfit
	}
	return nil
}

// withTenantEvidence runs fn with the evidence of a tenant's trail. The
// operation that is to be run stands in the trails of both sides.
func withTenantEvidence(ctx context.Context, slug string, d op.Def, fn func(*auditservice.Evidence) error) error {
	return withProcess(ctx, func(p *wiregen.Process) error {
		t, err := p.Directory.BySlug(ctx, slug)
		if err != nil {
			return err
		}
		if t.Kind != tenancy.Landlord && d.Records {
			if err := wiregen.Note(ctx, p, d, t); err != nil {
				return err
			}
		}
		return fn(wiregen.TenantEvidence(p, t))
	})
}

func auditExportCommand() *cobra.Command {
	var slug, format string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Print all records of a trail: NDJSON as they are sealed, or CSV.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			form := auditapi.WriteNDJSON
			if format == "csv" {
				form = auditapi.WriteCSV
			} else if format != "ndjson" {
				return errors.New("--format is ndjson or csv")
			}
			return withTenantEvidence(cmd.Context(), slug, auditservice.Export, func(e *auditservice.Evidence) error {
				out := bufio.NewWriter(cmd.OutOrStdout())
				write, end := form(out)
				if err := e.Export(cmd.Context(), domain.Spec{}, write); err != nil {
					return err
				}
				return errors.Join(end(), out.Flush())
			})
		},
	}
	cmd.Flags().StringVar(&slug, "tenant", "", "slug of the tenant")
	cmd.Flags().StringVar(&format, "format", "ndjson", "ndjson or csv")
	_ = cmd.MarkFlagRequired("tenant") // fails only for a flag that does not exist
	return cmd
}

func auditKeyCommand() *cobra.Command {
	var slug string
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Print the key that checks the signed heads of a tenant's trail.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withTenantEvidence(cmd.Context(), slug, auditservice.Key, func(e *auditservice.Evidence) error {
				key, err := e.Key(cmd.Context())
				if err == nil {
					_, err = fmt.Fprintln(cmd.OutOrStdout(), key)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&slug, "tenant", "", "slug of the tenant")
	_ = cmd.MarkFlagRequired("tenant") // fails only for a flag that does not exist
	return cmd
}

func auditProofCommand() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "check-proof FILE",
		Short: "Check, without a server, the answer of GET /v1/audit/events/{id}?proof=1.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			return checkProof(cmd.OutOrStdout(), text, key)
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "verifier key of the tenant")
	_ = cmd.MarkFlagRequired("key") // fails only for a flag that does not exist
	return cmd
}

func checkProof(out io.Writer, text []byte, key string) error {
	var event struct {
		Proof *auditapi.AuditProof `json:"proof"`
	}
	if err := json.Unmarshal(text, &event); err != nil {
		return fmt.Errorf("the file is not the answer with a proof: %w", err)
	}
	if event.Proof == nil {
		return errors.New("the file has no proof in it: ask with ?proof=1")
	}
	p := domain.Proof{Number: event.Proof.Number, Head: event.Proof.Head, Record: event.Proof.Record}
	for _, text := range event.Proof.Hashes {
		h, err := tlog.ParseHash(text)
		if err != nil {
			return fmt.Errorf("a hash of the proof: %w", err)
		}
		p.Hashes = append(p.Hashes, h)
	}
	head, err := p.Check(strings.TrimSpace(key))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "record %d is part of the trail of tenant %s that the head of size %d, signed at %s, fixes:\n%s\n",
		p.Number, head.Tenant, head.Size, head.At.Format("2006-01-02T15:04:05Z07:00"), p.Record)
	return err
}
