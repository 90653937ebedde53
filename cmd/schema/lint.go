package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	_ "ariga.io/atlas/sql/postgres/postgrescheck" // registers the analyzers
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlcheck"
	"ariga.io/atlas/sql/sqlcheck/destructive"
	"ariga.io/atlas/sql/sqlclient"
	"github.com/spf13/cobra"
)

func lintCommand(p *project) *cobra.Command {
	var base string
	cmd := &cobra.Command{
		Use:   "lint",
		Short: "Report dangerous changes in migrations; a destructive one is an error",
		Long: `Report dangerous changes in migrations; a destructive one is an error.

A change that is meant is marked in the migration, above the statement, with the analyzer or code it silences and
the reason on the next line:

    -- atlas:nolint destructive
    -- Nothing has read this column since version 2.
    ALTER TABLE users DROP COLUMN nickname;`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, w := cmd.Context(), cmd.OutOrStdout()
			return p.withServer(ctx, func(s *server) error {
				return s.withDatabase(ctx, func(d *database) error { return p.lint(ctx, w, d, base) })
			})
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "report only migrations newer than this version")
	return cmd
}

// lint replays the migrations of both scopes and analyses those newer than base.
func (p *project) lint(ctx context.Context, w io.Writer, d *database, base string) error {
	bad := false
	for _, s := range scopes {
		files, err := p.sources(filepath.Join("sql", "migrations", s.name))
		if err != nil {
			return err
		}
		if err := d.enter(ctx, s); err != nil {
			return err
		}
		seen := 0
		for _, f := range files {
			file := atlas.NewLocalFile(filepath.Base(f.path), []byte(f.text))
			if file.Version() <= base {
				if err := d.run(ctx, f); err != nil {
					return err
				}
				continue
			}
			findings, err := d.analyse(ctx, s, f, file)
			if err != nil {
				return err
			}
			for _, found := range findings {
				fmt.Fprintln(w, found)
				bad = bad || found.destructive()
			}
			seen++
		}
		fmt.Fprintf(w, "%s: %d of %d migrations read\n", s.name, seen, len(files))
	}
	if bad {
		return errors.New("a migration destroys data; if that is meant, mark it (schema lint --help)")
	}
	return d.leave(ctx)
}

// finding is one remark on a statement.
type finding struct {
	at, analyzer, code, text string
}

func (f finding) destructive() bool { return strings.HasPrefix(f.code, "DS") }

func (f finding) String() string {
	level := "warning"
	if f.destructive() {
		level = "error"
	}
	return fmt.Sprintf("%s: %s: %s (%s %s)", f.at, level, f.text, f.analyzer, f.code)
}

// analyse runs a migration statement by statement and hands what each did to the analyzers of Atlas.
func (d *database) analyse(ctx context.Context, s scope, f source, file *atlas.LocalFile) ([]finding, error) {
	checked := &sqlcheck.File{File: file}
	state, err := d.realm(ctx, s)
	if err != nil {
		return nil, err
	}
	checked.From = state
	for _, stmt := range f.stmts {
		if _, err := d.conn.Exec(ctx, stmt.Text); err != nil {
			return nil, fmt.Errorf("%s: %w", f.at(stmt.Pos), err)
		}
		next, err := d.realm(ctx, s)
		if err != nil {
			return nil, err
		}
		changes, err := d.atlas.RealmDiff(state, next)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.at(stmt.Pos), err)
		}
		checked.Changes = append(checked.Changes, &sqlcheck.Change{Changes: changes, Stmt: stmt})
		state = next
	}
	checked.To = state
	if checked.Sum, err = d.atlas.RealmDiff(checked.From, checked.To); err != nil {
		return nil, err
	}
	return d.findings(ctx, f, checked)
}

// realm reads the scope as a realm, the form in which a schema itself can come and go.
func (d *database) realm(ctx context.Context, s scope) (*schema.Realm, error) {
	return d.atlas.InspectRealm(ctx, &schema.InspectRealmOption{
		Schemas: []string{s.schema},
		Exclude: []string{s.schema + "." + history},
	})
}

func (d *database) findings(ctx context.Context, f source, checked *sqlcheck.File) ([]finding, error) {
	analyzers, err := sqlcheck.AnalyzerFor(postgres.DriverName, nil)
	if err != nil {
		return nil, err
	}
	var out []finding
	for _, a := range analyzers {
		name := ""
		if named, ok := a.(sqlcheck.NamedAnalyzer); ok {
			name = named.Name()
		}
		if d, ok := a.(*destructive.Analyzer); ok {
			d.Error = new(bool) // the report is enough; whether it counts is decided here
		}
		pass := &sqlcheck.Pass{
			File: checked,
			Dev:  &sqlclient.Client{Name: postgres.DriverName, DB: d.db, Driver: d.atlas},
			Reporter: sqlcheck.ReportWriterFunc(func(r sqlcheck.Report) {
				for _, diag := range r.Diagnostics {
					if !silenced(f, diag, name) {
						out = append(out, finding{at: f.at(diag.Pos), analyzer: name, code: diag.Code, text: diag.Text})
					}
				}
			}),
		}
		if err := a.Analyze(ctx, pass); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", f.path, name, err)
		}
	}
	return out, nil
}

// silenced reports whether the statement is marked as meant.
func silenced(f source, diag sqlcheck.Diagnostic, analyzer string) bool {
	for _, stmt := range f.stmts {
		if stmt.Pos != diag.Pos {
			continue
		}
		for _, mark := range stmt.Directive("nolint") {
			words := strings.Fields(mark)
			if slices.Contains(words, analyzer) || slices.Contains(words, diag.Code) {
				return true
			}
		}
	}
	return false
}
