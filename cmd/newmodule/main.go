// Command newmodule writes a new module: a noun of the product's own, with its table, rules, operations, routes and
// tests, composed and ready to be changed into what it is to be.
//
//	make new-module NAME=invoices NOUN=invoice
//	make new-module NAME=invoices NOUN=invoice ARGS=-dry-run
//
// It writes files that are new, inserts a few lines into three that are there (sqlc.yaml, wire_gen/wire.go and
// wire_gen/modules.go), and runs the generators.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	fmt.Fprintln(os.Stderr, "newmodule:", err)
	stop()
	os.Exit(1)
}

func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("newmodule", flag.ContinueOnError)
	flags.SetOutput(errOut)
	dir := flags.String("dir", ".", "root of the source tree")
	bin := flags.String("bin", ".bin", "where sqlc, wire and schema are, from the root")
	dry := flags.Bool("dry-run", false, "print what would be written, and write nothing")
	name := flags.String("name", "", "the module, a plural: invoices")
	noun := flags.String("noun", "", "one of its things: invoice")
	if err := flags.Parse(args); err != nil {
		return err
	}
	tree := os.DirFS(*dir)
	root, err := modulePath(tree)
	if err != nil {
		return err
	}
	m, err := newModule(root, *name, *noun)
	if err != nil {
		return err
	}
	p, err := m.plan(tree)
	if err != nil {
		return err
	}
	if *dry {
		p.print(out)
		return nil
	}
	top, err := filepath.Abs(*dir)
	if err != nil {
		return err
	}
	w := workshop{dir: top, bin: *bin, out: out, errOut: errOut}
	if err := w.unchanged(ctx); err != nil {
		return err
	}
	if err := w.build(ctx, p); err != nil {
		return fmt.Errorf("%w\n%s", err, p.undo())
	}
	_, err = io.WriteString(out, p.next())
	return err
}

var moduleLine = regexp.MustCompile(`(?m)^module (\S+)$`)

// modulePath is the import path of the tree.
func modulePath(tree fs.FS) (string, error) {
	text, err := fs.ReadFile(tree, "go.mod")
	if err != nil {
		return "", fmt.Errorf("not the root of the source tree: %w", err)
	}
	found := moduleLine.FindSubmatch(text)
	if found == nil {
		return "", errors.New("go.mod names no module")
	}
	return string(found[1]), nil
}

// plan is all that is to be written.
type plan struct {
	module
	added   []file // new files
	changed []file // existing files, as they are to be
}

func (m module) plan(tree fs.FS) (plan, error) {
	added, err := m.files()
	if err != nil {
		return plan{}, err
	}
	if err := m.free(tree, added); err != nil {
		return plan{}, err
	}
	changed, err := m.changes(tree)
	return plan{m, added, changed}, err
}

// write puts all files where they belong.
func (p plan) write(dir string) error {
	for _, f := range append(p.added, p.changed...) {
		where := filepath.Join(dir, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(where), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(where, f.text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
