package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// workshop is the tree in which a module is built, with its tools.
type workshop struct {
	dir, bin    string // root of the tree, absolute, and the folder of tools in it
	out, errOut io.Writer
}

// touched are the files and folders that the generator and the generators it
// runs write to, beside those of the module alone.
var touched = []string{"sqlc.yaml", "wire_gen", "schema", "sql", "docs/openapi.yaml", "docs/permissions.md"}

// unchanged refuses a tree in which what is about to be written could not be
// told from what somebody has changed already.
func (w workshop) unchanged(ctx context.Context) error {
	var found bytes.Buffer
	git := exec.CommandContext(ctx, "git", append([]string{"status", "--porcelain", "--"}, touched...)...)
	git.Dir, git.Stdout, git.Stderr = w.dir, &found, w.errOut
	if err := git.Run(); err != nil {
		return fmt.Errorf("asking git what is changed: %w", err)
	}
	if found.Len() > 0 {
		return fmt.Errorf("commit or stash these first, so that they are not mixed with the new module:\n%s", strings.TrimRight(found.String(), "\n"))
	}
	return nil
}

// build writes the module and makes everything that follows from it.
func (w workshop) build(ctx context.Context, p plan) error {
	if err := p.write(w.dir); err != nil {
		return err
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"migration", func() error {
			return w.command(ctx, w.tool("schema"), "diff", "add_"+p.Name, "--scope", "tenant")
		}},
		{"queries", func() error { return w.queries(ctx, p.module) }},
		{"injectors", func() error { return w.command(ctx, w.script("generate.sh"), w.bin, "code") }},
		{"API document, permissions", func() error { return w.command(ctx, w.script("generate.sh"), w.bin, "docs") }},
		{"list of routes", func() error {
			return w.command(ctx, "go", "test", "./wire_gen", "-run", "^TestRoutes$", "-count=1", "-update")
		}},
	} {
		fmt.Fprintln(w.out, "==", step.what)
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// tool is the path of a program in the folder of tools.
func (w workshop) tool(name string) string { return filepath.Join(w.dir, w.bin, name) }

// script is the path of a script of the tree.
func (w workshop) script(name string) string { return filepath.Join(w.dir, "scripts", name) }

// command runs a program in the tree.
func (w workshop) command(ctx context.Context, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Stdout, c.Stderr = w.dir, w.out, w.errOut
	return c.Run()
}

var modelType = regexp.MustCompile(`(?m)^type (\w+) struct`)

// queries runs sqlc and sees to it that the row of the table is called like
// the noun: sqlc's English is not always right (archives -> Archife), and a
// rename puts it right.
func (w workshop) queries(ctx context.Context, m module) error {
	if err := w.command(ctx, w.tool("sqlc"), "generate"); err != nil {
		return err
	}
	models := filepath.Join(w.dir, "modules", m.Name, "infra", "internal", m.Name+"db", "models.gen.go")
	text, err := os.ReadFile(models)
	if err != nil {
		return err
	}
	found := modelType.FindAllSubmatch(text, -1)
	if len(found) != 1 {
		return fmt.Errorf("%s has %d types, expected one", models, len(found))
	}
	if string(found[0][1]) == m.Type {
		return nil
	}
	return w.rename(m, strings.ToLower(string(found[0][1])))
}

// rename tells sqlc what to call the row that it would call otherwise.
func (w workshop) rename(m module, row string) error {
	config := filepath.Join(w.dir, sqlcFile)
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("        package: %sdb\n", m.Name)
	renamed := strings.Replace(string(text), line, line+fmt.Sprintf("        rename: {%s: %s}\n", row, m.Type), 1)
	return os.WriteFile(config, []byte(renamed), 0o644)
}
