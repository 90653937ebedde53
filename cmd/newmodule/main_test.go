package main

import (
	"bytes"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/insulahq/insula/platform/archtest"
)

const ourModule = "github.com/insulahq/insula"

var house = os.DirFS("../..")

func invoices(t *testing.T) module {
	t.Helper()
	m, err := newModule(ourModule, "invoices", "invoice")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTheModuleFitsThisTree: the anchors of the three files are where they are
// looked for, and the tree with the module keeps the plan of the house.
// (make check-new-module builds and runs it.)
func TestTheModuleFitsThisTree(t *testing.T) {
	t.Parallel()
	p, err := invoices(t).plan(house)
	if err != nil {
		t.Fatal(err)
	}
	tree := sources(t)
	for _, f := range append(p.added, p.changed...) {
		tree[f.path] = &fstest.MapFile{Data: f.text}
	}
	found, err := archtest.Check(tree, archtest.House())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		t.Error(v)
	}
}

// sources is a copy of what the rules of the house read.
func sources(t *testing.T) fstest.MapFS {
	t.Helper()
	tree := fstest.MapFS{}
	for _, top := range []string{"go.mod", "cmd", "modules", "platform", "wire_gen", "sql", "schema"} {
		err := fs.WalkDir(house, top, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := fs.ReadFile(house, path)
			tree[path] = &fstest.MapFile{Data: text}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

// TestOnlyLinesAreAdded: of what somebody wrote, nothing is lost, and three
// files are changed.
func TestOnlyLinesAreAdded(t *testing.T) {
	t.Parallel()
	changed, err := invoices(t).changes(house)
	if err != nil {
		t.Fatal(err)
	}
	most := map[string]int{sqlcFile: 12, wireFile: 6, modulesFile: 4}
	if len(changed) != len(most) {
		t.Errorf("%d files change", len(changed))
	}
	for _, f := range changed {
		before, err := fs.ReadFile(house, f.path)
		if err != nil {
			t.Fatal(err)
		}
		rest, added := strings.Split(string(before), "\n"), 0
		for line := range strings.SplitSeq(string(f.text), "\n") {
			if len(rest) > 0 && rest[0] == line {
				rest = rest[1:]
				continue
			}
			added++
		}
		if len(rest) > 0 || added == 0 || added > most[f.path] {
			t.Errorf("%s: %d lines added, and lost from %.80q on", f.path, added, strings.Join(rest, "\n"))
		}
	}
}

// TestGeneratedSourceIsInOrder: formatted, with a comment on every package,
// and nothing of a template left in it.
func TestGeneratedSourceIsInOrder(t *testing.T) {
	t.Parallel()
	for _, names := range [][2]string{{"invoices", "invoice"}, {"addresses", "address"}, {"zebras", "zebra"}} {
		m, err := newModule(ourModule, names[0], names[1])
		if err != nil {
			t.Fatal(err)
		}
		files, err := m.files()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if bytes.ContainsAny(f.text, "«»") || strings.ContainsAny(f.path, "«»") || bytes.Contains(f.text, []byte("<no value>")) {
				t.Errorf("%s is not filled:\n%s", f.path, f.text)
			}
			if strings.HasSuffix(f.path, ".go") {
				inOrder(t, f)
			}
		}
	}
}

func inOrder(t *testing.T, f file) {
	t.Helper()
	formatted, err := format.Source(f.text)
	if err != nil || !bytes.Equal(formatted, f.text) {
		t.Errorf("%s is not formatted: %v", f.path, err)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), f.path, f.text, parser.ParseComments); err != nil {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, noun, want string }{
		{"invoices", "invoice", ""},
		{"addresses", "address", ""},
		{"categories", "category", ""},
		{"keys", "key", ""},
		{"boxes", "box", ""},
		{"leaves", "leaf", ""},
		{"knives", "knife", ""},
		{"photos", "photo", ""},
		{"heroes", "hero", ""},
		{"", "", "NAME is missing"},
		{"invoices", "", "NOUN is missing"},
		{"invoice", "invoice", "NAME is the plural"},
		{"invoice", "invoices", "not the plural"},
		{"invoices", "bill", "not the plural"},
		{"Invoices", "invoice", "lower case"},
		{"credit_notes", "credit_note", "lower case"},
		{"invoices; rm -rf", "invoice", "lower case"},
		{"../up", "up", "lower case"},
		{"as", "a", "3 to 30"},
		{"funcs", "func", "word of Go"},
		{"strings", "string", "word of Go"},
		{"errors", "error", "word of Go"},
		{"contexts", "context", "meaning of its own"},
		{"changes", "change", "meaning of its own"},
		{"tables", "table", "meaning of its own"},
		{"tenants", "tenant", "meaning of its own"},
	} {
		_, err := newModule(ourModule, tc.name, tc.noun)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q %q: %v, want %q", tc.name, tc.noun, err, tc.want)
		}
	}
}

func TestWhatIsTakenIsRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, noun, want string }{
		{"files", "file", "modules/files"},
		{"users", "user", "modules/users"},
		{"invitations", "invitation", "the path /v1/invitations"},
		{"mails", "mail", "things called mail"},
		{"logins", "login", "API document Login"},
		{"sessions", "session", "table sessions"},
		{"walls", "wall", "wire_gen/walls_test.go"},
	} {
		m := module{Module: ourModule, Name: tc.name, Noun: tc.noun, Types: title(tc.name), Type: title(tc.noun), A: "a", Letter: "x"}
		if _, err := m.plan(without{house, "e2e/invitations_test.go"}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

// without is a tree that lacks a file, so that what it would have been refused
// for first does not hide the next reason.
type without struct {
	fs.FS
	path string
}

func (w without) Open(name string) (fs.File, error) {
	if name == w.path {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return w.FS.Open(name)
}

// TestAMissingAnchorIsNamed: nothing is inserted by guess.
func TestAMissingAnchorIsNamed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ path, old, new, want string }{
		{sqlcFile, "&rules [", "[", "&rules"},
		{sqlcFile, "go: &go", "go:", "&go"},
		{sqlcFile, "\nsql:\n", "\nqueries:\n", "sql:"},
		{wireFile, "var request = ", "var demand = ", "variable request"},
		{wireFile, "/modules/", "/parts/", "import of a module"},
		{wireFile, "package wiregen", "package", "expected"},
		{modulesFile, "func modules(", "func parts(", "func modules"},
		{modulesFile, "func Operations(", "func Deeds(", "func Operations"},
		{modulesFile, ".Operations,\n\t)", ".Operations)", "a line each"},
		{modulesFile, "/modules/", "/parts/", "import of a module"},
	} {
		tree := fstest.MapFS{}
		for _, path := range []string{sqlcFile, wireFile, modulesFile} {
			text, err := fs.ReadFile(house, path)
			if err != nil {
				t.Fatal(err)
			}
			if path == tc.path {
				broken := bytes.ReplaceAll(text, []byte(tc.old), []byte(tc.new))
				if bytes.Equal(broken, text) {
					t.Fatalf("%s has no %q", path, tc.old)
				}
				text = broken
			}
			tree[path] = &fstest.MapFile{Data: text}
		}
		if _, err := invoices(t).changes(tree); err == nil || !strings.Contains(err.Error(), tc.path) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s without %q: %v, want %q", tc.path, tc.old, err, tc.want)
		}
	}
}

// TestDryRunPrintsAndWritesNothing compares the tree before and after.
func TestDryRunPrintsAndWritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, fs.FS(sources(t))); err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(house, sqlcFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, sqlcFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	err = run(t.Context(), []string{"-dir", dir, "-name", "invoices", "-noun", "invoice", "-dry-run"}, &out, &errOut)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"== schema/tenant/invoices.sql\n", "CREATE TABLE invoices (", "lines  modules/invoices/api/api.go\n", "wire_gen/wire.go\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("not printed: %q", want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "modules", "invoices")); !os.IsNotExist(err) {
		t.Errorf("a dry run wrote a module: %v", err)
	}
	if now, err := os.ReadFile(filepath.Join(dir, sqlcFile)); err != nil || !bytes.Equal(now, text) {
		t.Errorf("a dry run changed %s: %v", sqlcFile, err)
	}
}

// TestTheReportNamesWhatIsThere: the commands that are printed at the end can
// be followed, and so can those of docs/modules.md.
func TestTheReportNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	p, err := invoices(t).plan(house)
	if err != nil {
		t.Fatal(err)
	}
	guide, err := fs.ReadFile(house, "docs/modules.md")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := fs.ReadFile(house, "Makefile")
	if err != nil {
		t.Fatal(err)
	}
	next := p.next()
	if !strings.HasPrefix(next, "\nAn invoice has") || !strings.Contains(string(guide), strings.TrimSpace(next)) {
		t.Errorf("docs/modules.md does not show what is printed:\n%s", next)
	}
	for _, named := range regexp.MustCompile(`(?:^|[\s\x60])make ([a-z]+(?:-[a-z]+)*)`).FindAllStringSubmatch(next+string(guide), -1) {
		if !strings.Contains(string(makefile), "\n"+named[1]+":") {
			t.Errorf("there is no target %q", named[1])
		}
	}
	if undo := p.undo(); !strings.Contains(undo, "modules/invoices") || !strings.Contains(undo, "sqlc.yaml") {
		t.Errorf("the way back: %s", undo)
	}
}
