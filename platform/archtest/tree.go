package archtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// tree is the source of one Go module: every Go file, whatever its build tags, tests included. Nested
// modules, test data and hidden folders are not part of it.
type tree struct {
	module string // path of the module, as go.mod states it
	fset   *token.FileSet
	files  []*file
	dirs   []string
}

// file is one parsed Go file.
type file struct {
	path    string // from the root, slash separated
	dir     string
	place   place
	test    bool // *_test.go
	syntax  *ast.File
	imports []imported
}

// imported is one import of a file.
type imported struct {
	path string // as written
	name string // by which the file knows it
	line int
}

func load(root fs.FS) (*tree, error) {
	module, err := modulePath(root)
	if err != nil {
		return nil, err
	}
	t := &tree{module: module, fset: token.NewFileSet()}
	err = fs.WalkDir(root, ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return t.enter(root, p)
		case strings.HasSuffix(p, ".go"):
			return t.add(root, p)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the tree: %w", err)
	}
	t.nameImports()
	return t, nil
}

// modulePath reads the path of the module from the go.mod in the root.
func modulePath(root fs.FS) (string, error) {
	content, err := fs.ReadFile(root, "go.mod")
	if err != nil {
		return "", fmt.Errorf("read the module's path: %w", err)
	}
	for line := range strings.Lines(string(content)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return strings.TrimSpace(name), nil
		}
	}
	return "", errors.New("go.mod states no module path")
}

// enter decides whether a folder belongs to the tree.
func (t *tree) enter(root fs.FS, dir string) error {
	if dir == "." {
		return nil
	}
	switch base := path.Base(dir); {
	case strings.HasPrefix(base, "."), strings.HasPrefix(base, "_"), base == "testdata", base == "node_modules":
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir // a module of its own
	}
	t.dirs = append(t.dirs, dir)
	return nil
}

func (t *tree) add(root fs.FS, p string) error {
	content, err := fs.ReadFile(root, p)
	if err != nil {
		return err
	}
	syntax, err := parser.ParseFile(t.fset, p, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	f := &file{path: p, dir: path.Dir(p), place: placeOf(path.Dir(p)), test: strings.HasSuffix(p, "_test.go"), syntax: syntax}
	for _, spec := range syntax.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return fmt.Errorf("%s: import %s: %w", p, spec.Path.Value, err)
		}
		in := imported{path: target, line: t.line(spec.Pos())}
		if spec.Name != nil {
			in.name = spec.Name.Name
		}
		f.imports = append(f.imports, in)
	}
	t.files = append(t.files, f)
	return nil
}

// nameImports gives every import without an explicit name the one its package declares: known for our own
// packages, guessed from the path for others.
func (t *tree) nameImports() {
	declared := map[string]string{}
	for _, f := range t.files {
		if !f.test {
			declared[t.module+"/"+f.dir] = f.syntax.Name.Name
		}
	}
	for _, f := range t.files {
		for i := range f.imports {
			in := &f.imports[i]
			if in.name != "" {
				continue
			}
			if name, ok := declared[in.path]; ok {
				in.name = name
			} else {
				in.name = usualName(in.path)
			}
		}
	}
}

// usualName is the package name that an import path suggests: its last part without a major version.
func usualName(importPath string) string {
	base := path.Base(importPath)
	if digits, ok := strings.CutPrefix(base, "v"); ok {
		if _, err := strconv.Atoi(digits); err == nil {
			base = path.Base(path.Dir(importPath))
		}
	}
	base, _, _ = strings.Cut(base, ".v")
	return strings.TrimPrefix(base, "go-")
}

func (t *tree) line(pos token.Pos) int { return t.fset.Position(pos).Line }

// own gives the folder of one of our own packages; ok is false for the standard library and other modules.
func (t *tree) own(importPath string) (dir string, ok bool) {
	return strings.CutPrefix(importPath, t.module+"/")
}

// modules returns the names of the folders under modules/.
func (t *tree) modules() []string {
	var names []string
	for _, dir := range t.dirs {
		if parent, name := path.Split(dir); parent == "modules/" {
			names = append(names, name)
		}
	}
	return names
}
