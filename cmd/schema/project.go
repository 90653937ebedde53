package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"
	"github.com/spf13/cobra"

	"github.com/insulahq/insula/platform/pg/migrate"
)

// project is the source tree that the commands work on, and where they find PostgreSQL.
type project struct {
	dir string
	url string
}

// scope is one of the two kinds of schema.
type scope struct {
	name      string // as in schema/<name> and sql/migrations/<name>
	schema    string // in a scratch database
	qualified bool   // its files name the schema
}

var (
	control = scope{name: "control", schema: "control", qualified: true}
	tenant  = scope{name: "tenant", schema: "tenant"}
	scopes  = []scope{control, tenant}
)

// scopeFlag adds the flag that chooses a scope.
func scopeFlag(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "scope", "", "control or tenant")
	_ = cmd.MarkFlagRequired("scope") // fails only for a flag that does not exist
}

func scopeByName(name string) (scope, error) {
	for _, s := range scopes {
		if s.name == name {
			return s, nil
		}
	}
	return scope{}, fmt.Errorf("there is no scope %q: it is control or tenant", name)
}

// migrationsDir is the directory of the scope's migrations, below the root.
func (p *project) migrationsDir(s scope) string {
	return filepath.Join(p.dir, "sql", "migrations", s.name)
}

// migrations loads and verifies the scope's migrations.
func (p *project) migrations(s scope) (*migrate.Dir, error) {
	d, err := migrate.Load(os.DirFS(p.migrationsDir(s)))
	if err != nil {
		return nil, fmt.Errorf("sql/migrations/%s: %w (after an intended change: schema hash)", s.name, err)
	}
	return d, nil
}

// openMigrations opens the scope's migrations for writing, and makes the directory for the first of them.
func (p *project) openMigrations(s scope) (*atlas.LocalDir, error) {
	dir := p.migrationsDir(s)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return atlas.NewLocalDir(dir)
}

// source is one file of SQL, split into statements.
type source struct {
	path  string // below the root
	text  string
	stmts []*atlas.Stmt
}

// line returns where a statement starts, as path:line.
func (s source) at(pos int) string {
	return fmt.Sprintf("%s:%d", s.path, 1+strings.Count(s.text[:pos], "\n"))
}

// declared reads the scope's declared schema, in the order of the file names.
func (p *project) declared(s scope) ([]source, error) {
	return p.sources(filepath.Join("schema", s.name))
}

// sources reads all SQL files of a directory below the root.
func (p *project) sources(dir string) ([]source, error) {
	entries, err := os.ReadDir(filepath.Join(p.dir, dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s in %s", dir, p.dir)
	} else if err != nil {
		return nil, err
	}
	var out []source
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".sql" {
			continue
		}
		path := filepath.Join(dir, e.Name())
		text, err := os.ReadFile(filepath.Join(p.dir, path))
		if err != nil {
			return nil, err
		}
		stmts, err := migrate.Split(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, source{path: path, text: string(text), stmts: stmts})
	}
	slices.SortFunc(out, func(a, b source) int { return strings.Compare(a.path, b.path) })
	return out, nil
}
