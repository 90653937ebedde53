package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/insulahq/insula/platform/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// tree is a copy of testdata/tree in which a test may change files.
type tree struct {
	t   *testing.T
	dir string
}

func copyTree(t *testing.T, from string) tree {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return tree{t, dir}
}

// first holds the first migrations of the tree, which every test starts from.
var first struct {
	sync.Once
	files map[string][]byte
}

// migratedTree is a tree whose first migrations are written.
func migratedTree(t *testing.T) tree {
	t.Helper()
	first.Do(func() {
		tr := copyTree(t, "testdata/tree")
		first.files = make(map[string][]byte)
		for _, s := range scopes {
			tr.ok("diff", "init", "--scope", s.name, "--version", "20260101000000")
			for _, name := range []string{"20260101000000_init.sql", "atlas.sum"} {
				path := filepath.Join("sql", "migrations", s.name, name)
				first.files[path] = []byte(tr.read(path))
			}
		}
	})
	tr := copyTree(t, "testdata/tree")
	for path, text := range first.files {
		path = filepath.Join(tr.dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, text, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

// run executes the command line and returns what it printed.
func (tr tree) run(args ...string) (string, error) {
	tr.t.Helper()
	var out bytes.Buffer
	cmd := root(func() time.Time { return time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC) })
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(append(args, "--dir", tr.dir, "--url", pgtest.Server()))
	err := cmd.ExecuteContext(tr.t.Context())
	return out.String(), err
}

func (tr tree) ok(args ...string) string {
	tr.t.Helper()
	out, err := tr.run(args...)
	if err != nil {
		tr.t.Fatalf("schema %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// fails runs a command that must fail, and wants each text in what it printed or answered.
func (tr tree) fails(texts []string, args ...string) {
	tr.t.Helper()
	out, err := tr.run(args...)
	if err == nil {
		tr.t.Fatalf("schema %s did not fail:\n%s", strings.Join(args, " "), out)
	}
	for _, text := range texts {
		if !strings.Contains(out+err.Error(), text) {
			tr.t.Errorf("schema %s does not say %q:\n%s%v", strings.Join(args, " "), text, out, err)
		}
	}
}

// add appends text to a file of the tree.
func (tr tree) add(path, text string) {
	tr.t.Helper()
	f, err := os.OpenFile(filepath.Join(tr.dir, path), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		tr.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr tree) read(path string) string {
	tr.t.Helper()
	text, err := os.ReadFile(filepath.Join(tr.dir, path))
	if err != nil {
		tr.t.Fatal(err)
	}
	return string(text)
}
