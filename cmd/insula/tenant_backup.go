package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	"github.com/insulahq/insula/modules/tenants/domain"
	tenantsservice "github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/platform/page"
	wiregen "github.com/insulahq/insula/wire_gen"
)

// withBackups runs fn with the backups of a tenant, whatever its status.
func withBackups(ctx context.Context, slug string, fn func(*wiregen.Process, *tenantsservice.Backups, domain.Tenant) error) error {
	return withProcess(ctx, func(p *wiregen.Process) error {
		t, err := p.Directory.Registered(ctx, slug)
		if err != nil {
			return err
		}
		s, err := wiregen.OperatorBackups(ctx, p)
		if err != nil {
			return err
		}
		return fn(p, s, t)
	})
}

func tenantBackupCommand() *cobra.Command {
	var f longFlags
	cmd := &cobra.Command{
		Use:   "backup SLUG",
		Short: "Back up a tenant while it works.",
		Long: "Back up a tenant while it works.\n\n" +
			"All of the archive is of one instant. With --wait the work is done here; interrupted, a server that runs\n" +
			"goes on with it.",
		Example: "  insula tenant backup acme --wait",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withBackups(cmd.Context(), args[0], func(p *wiregen.Process, s *tenantsservice.Backups, t domain.Tenant) error {
				made, err := s.Create(cmd.Context(), t.ID)
				if err != nil {
					return err
				}
				shown := tenantsapi.ShowBackup(made.Backup)
				b := begun{Operation: tenantsapi.ShowOperation(made.Operation), Backup: &shown}
				return finish(cmd, p, f, b, func(ctx context.Context, b *begun) error {
					now, err := s.Get(ctx, t.ID, made.Backup.ID)
					*b.Backup = tenantsapi.ShowBackup(now)
					return err
				})
			})
		},
	}
	f.add(cmd)
	return cmd
}

func printBackup(out io.Writer, b tenantsapi.Backup) {
	fmt.Fprintf(out, "backup %s of %s: %s", b.ID, b.Slug, b.Status)
	if b.At != nil {
		fmt.Fprintf(out, ", as of %s: %d rows, %d files with %d bytes\narchive: %d bytes, SHA-256 %s",
			b.At.Format(time.RFC3339), b.Rows, b.Files, b.FileBytes, b.Size, b.SHA256)
	}
	fmt.Fprintln(out)
}

func tenantBackupsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "backups SLUG",
		Short: "List the backups of a tenant, newest first.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withBackups(cmd.Context(), args[0], func(_ *wiregen.Process, s *tenantsservice.Backups, t domain.Tenant) error {
				return printBackups(cmd.OutOrStdout(), asJSON, func(r page.Request) (page.Page[domain.Backup], error) {
					return s.List(cmd.Context(), t.ID, r)
				})
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one backup a line")
	return cmd
}

// listedAtOnce is how many backups are read with one query.
const listedAtOnce = 200

// printBackups prints a list to its end.
func printBackups(out io.Writer, asJSON bool, list func(page.Request) (page.Page[domain.Backup], error)) error {
	w, lines := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0), json.NewEncoder(out)
	if !asJSON {
		fmt.Fprintln(w, "BACKUP\tSTATUS\tREASON\tAS OF\tROWS\tFILES\tBYTES")
	}
	for r := (page.Request{Limit: listedAtOnce}); ; {
		found, err := list(r)
		if err != nil {
			return err
		}
		for _, b := range found.Items {
			shown := tenantsapi.ShowBackup(b)
			if asJSON {
				if err := lines.Encode(shown); err != nil {
					return err
				}
				continue
			}
			at := "-"
			if shown.At != nil {
				at = shown.At.Format(time.RFC3339)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d\n", b.ID, b.Status, b.Reason, at, b.Rows, b.Files, b.Size)
		}
		if found.Next == nil {
			return w.Flush()
		}
		r.After = found.Next
	}
}

// backupFlag names one backup of a tenant.
type backupFlag struct{ text string }

func (f *backupFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.text, "backup", "", "id of the backup, as insula tenant backups prints it")
	_ = cmd.MarkFlagRequired("backup") // fails only for a flag that does not exist
}

func (f *backupFlag) id() (uuid.UUID, error) {
	id, err := uuid.Parse(f.text)
	if err != nil {
		return id, fmt.Errorf("--backup: %w; insula tenant backups SLUG prints the ids", err)
	}
	return id, nil
}

// with runs fn with one backup of a tenant.
func (f *backupFlag) with(ctx context.Context, slug string, fn func(*wiregen.Process, *tenantsservice.Backups, domain.Tenant, uuid.UUID) error) error {
	id, err := f.id()
	if err != nil {
		return err
	}
	return withBackups(ctx, slug, func(p *wiregen.Process, s *tenantsservice.Backups, t domain.Tenant) error { return fn(p, s, t, id) })
}

func tenantDeleteBackupCommand() *cobra.Command {
	var f backupFlag
	cmd := &cobra.Command{
		Use:   "delete-backup SLUG",
		Short: "Remove a backup for good.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), args[0], func(p *wiregen.Process, s *tenantsservice.Backups, t domain.Tenant, id uuid.UUID) error {
				b, err := s.Delete(cmd.Context(), t.ID, id, 0)
				if err != nil {
					return err
				}
				if err := <-p.Copier.Start(b.ID); err != nil {
					return fmt.Errorf("the archive is removed later, by a server that runs: %w", err)
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "backup %s of %s is gone\n", b.ID, t.Slug)
				return err
			})
		},
	}
	f.add(cmd)
	return cmd
}

func tenantFetchBackupCommand() *cobra.Command {
	var f backupFlag
	var out string
	cmd := &cobra.Command{
		Use:   "fetch-backup SLUG",
		Short: "Take the archive of a backup out of the object store, into a file.",
		Long: "Take the archive of a backup out of the object store, into a file.\n\n" +
			"The file has all that the tenant has, password hashes and second factors among it: keep it as you keep\n" +
			"the database. It has its name once its checksum has been verified.",
		Example: "  insula tenant fetch-backup acme --backup 019fb1f3-… --out acme.tar",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), args[0], func(p *wiregen.Process, s *tenantsservice.Backups, t domain.Tenant, id uuid.UUID) error {
				b, err := s.Get(cmd.Context(), t.ID, id)
				if err == nil {
					err = fetchInto(out, func(w io.Writer) error { return wiregen.FetchBackup(cmd.Context(), p, t, b, w) })
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes, SHA-256 %s\n", out, b.Size, b.SHA256)
				return err
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&out, "out", "", "the file, which must not be there yet")
	_ = cmd.MarkFlagRequired("out") // fails only for a flag that does not exist
	return cmd
}

// fetchInto makes a file of what fetch writes, or none. Until it is whole it is
// one of its own beside it, so that two commands cannot mix what they fetch.
func fetchInto(name string, fetch func(io.Writer) error) (err error) {
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s is there already: name another file with --out", name)
	}
	part, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".part-*") // which only its owner may read
	if err != nil {
		return err
	}
	err = fetch(part)
	if err == nil {
		err = part.Sync()
	}
	if cerr := part.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		return os.Rename(part.Name(), name)
	}
	_ = os.Remove(part.Name()) // the cause is worth more than what is left of the file
	return err
}
