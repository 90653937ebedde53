package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"time"

	atlas "ariga.io/atlas/sql/migrate"
	"github.com/spf13/cobra"
)

// versionLayout is how a migration tells when it was written, in UTC; versions sort as text.
const versionLayout = "20060102150405"

// step is a migration to be written.
type step struct {
	scope   scope
	name    string
	version string
}

// stepFlags adds the flags that say which migration to write.
type stepFlags struct{ scope, version string }

func (f *stepFlags) add(cmd *cobra.Command) {
	scopeFlag(cmd, &f.scope)
	cmd.Flags().StringVar(&f.version, "version", "", "version of the new migration, YYYYMMDDHHMMSS; empty means the time, in UTC")
}

var (
	stepName    = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	stepVersion = regexp.MustCompile(`^\d{14}$`)
)

// step checks the flags against the migrations there are.
func (f *stepFlags) step(p *project, name string, now func() time.Time) (step, error) {
	s, err := scopeByName(f.scope)
	if err != nil {
		return step{}, err
	}
	if !stepName.MatchString(name) {
		return step{}, fmt.Errorf("%q is no name for a migration: use lower case letters, digits and _", name)
	}
	version := f.version
	if version == "" {
		version = now().UTC().Format(versionLayout)
	}
	if !stepVersion.MatchString(version) {
		return step{}, fmt.Errorf("%q is no version: it has 14 digits, YYYYMMDDHHMMSS", version)
	}
	if _, err := p.openMigrations(s); err != nil {
		return step{}, err
	}
	dir, err := p.migrations(s)
	if err != nil {
		return step{}, err
	}
	if version <= dir.Version() {
		return step{}, fmt.Errorf("version %s does not follow the newest migration, %s", version, dir.Version())
	}
	return step{scope: s, name: name, version: version}, nil
}

func diffCommand(p *project, now func() time.Time) *cobra.Command {
	var flags stepFlags
	cmd := &cobra.Command{
		Use:   "diff NAME",
		Short: "Write the migration that leads to the declared schema",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			next, err := flags.step(p, args[0], now)
			if err != nil {
				return err
			}
			return p.withBoth(cmd.Context(), func(declared, migrated *database) error {
				return p.diff(cmd.Context(), cmd.OutOrStdout(), next, declared, migrated)
			})
		},
	}
	flags.add(cmd)
	return cmd
}

// diff writes the next step and then tells what it does not do, because Atlas does not see all there is.
func (p *project) diff(ctx context.Context, w io.Writer, next step, declared, migrated *database) error {
	planned, err := plan(ctx, next.name, next.scope, migrated, declared)
	if err != nil {
		return err
	}
	if planned == nil {
		return undone(ctx, w, next.scope, declared, migrated)
	}
	planned.Version = next.version
	dir, err := p.openMigrations(next.scope)
	if err != nil {
		return err
	}
	planner := atlas.NewPlanner(declared.atlas, dir, atlas.PlanFormat(atlas.DefaultFormatter), atlas.PlanWithChecksum(true))
	if err := planner.WritePlan(planned); err != nil {
		return fmt.Errorf("write the migration: %w", err)
	}
	fmt.Fprintf(w, "wrote %s\n", filepath.Join("sql", "migrations", next.scope.name, next.file()))
	if err := p.buildMigrated(ctx, migrated); err != nil {
		return fmt.Errorf("the new migration does not run, edit it: %s", hint(err))
	}
	return undone(ctx, w, next.scope, declared, migrated)
}

func (n step) file() string { return n.version + "_" + n.name + ".sql" }

// undone reports what a hand has to write. It is an error, so that nobody takes the step for complete.
func undone(ctx context.Context, w io.Writer, s scope, declared, migrated *database) error {
	lines, err := drift(ctx, s, declared, migrated)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		fmt.Fprintf(w, "%s: the migrations build the declared schema\n", s.name)
		return nil
	}
	for _, line := range lines {
		fmt.Fprintf(w, "%s: %s\n", s.name, line)
	}
	return errors.New("Atlas does not see these: write them into a migration by hand (schema new), then run schema hash")
}

func newCommand(p *project, now func() time.Time) *cobra.Command {
	var flags stepFlags
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write an empty migration, to be filled by hand; then run schema hash",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			next, err := flags.step(p, args[0], now)
			if err != nil {
				return err
			}
			dir, err := p.openMigrations(next.scope)
			if err != nil {
				return err
			}
			if err := dir.WriteFile(next.file(), []byte("-- Why this step is needed.\n")); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %s\n", filepath.Join("sql", "migrations", next.scope.name, next.file()))
			return p.hash(next.scope)
		},
	}
	flags.add(cmd)
	return cmd
}

func hashCommand(p *project) *cobra.Command {
	return &cobra.Command{
		Use:   "hash",
		Short: "Write atlas.sum anew after a migration was changed by hand",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			for _, s := range scopes {
				if err := p.hash(s); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (p *project) hash(s scope) error {
	dir, err := p.openMigrations(s)
	if err != nil {
		return err
	}
	sum, err := dir.Checksum()
	if err != nil {
		return err
	}
	return atlas.WriteSumFile(dir, sum)
}
