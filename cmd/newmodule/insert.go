package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// The three existing files that learn about a new module.
const (
	sqlcFile    = "sqlc.yaml"
	wireFile    = "wire_gen/wire.go"
	modulesFile = "wire_gen/modules.go"
)

// injector is the template of what wireFile gets, a part of a file.
const injector = "injector.go"

// changes are the existing files with the module inserted. Nothing is
// inserted by guess: a file that does not look as expected is an error that
// says what to do by hand.
func (m module) changes(tree fs.FS) ([]file, error) {
	var all []file
	for _, change := range []struct {
		path   string
		insert func([]byte) ([]byte, error)
	}{{sqlcFile, m.intoSQLC}, {wireFile, m.intoWire}, {modulesFile, m.intoModules}} {
		text, err := fs.ReadFile(tree, change.path)
		if err != nil {
			return nil, err
		}
		changed, err := change.insert(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", change.path, err)
		}
		all = append(all, file{path: change.path, text: changed})
	}
	return all, nil
}

var topLevel = regexp.MustCompile(`(?m)^[a-z]\w*:`)

// intoSQLC adds a package of queries to the list at the end of sqlc.yaml.
func (m module) intoSQLC(text []byte) ([]byte, error) {
	keys := topLevel.FindAll(text, -1)
	if len(keys) == 0 || string(keys[len(keys)-1]) != "sql:" {
		return nil, errors.New("the list under sql: is not the last thing in the file, so the new package has no place")
	}
	for _, anchor := range []string{"rules: &rules ", "go: &go\n"} {
		if !bytes.Contains(text, []byte(anchor)) {
			return nil, fmt.Errorf("no %q, which the new package refers to", strings.TrimSpace(anchor))
		}
	}
	block, err := m.render("sqlc.yaml")
	return slices.Concat(bytes.TrimRight(text, "\n"), []byte("\n"), block), err
}

// intoWire adds an injector at the end, beside those of the other modules.
func (m module) intoWire(text []byte) ([]byte, error) {
	s, err := parse(text)
	if err != nil {
		return nil, err
	}
	if !s.declaresVar("request") {
		return nil, errors.New("no variable request, the provider set of the request lifetime that the injector is built on")
	}
	block, err := m.render(injector)
	if err != nil {
		return nil, err
	}
	s.insert(len(text), string(block))
	if err := s.insertImports(m.ours("", m.Name+"module"), m.ours(m.Name+"service", "service")); err != nil {
		return nil, err
	}
	return s.format()
}

// intoModules adds the routes and the operations.
func (m module) intoModules(text []byte) ([]byte, error) {
	s, err := parse(text)
	if err != nil {
		return nil, err
	}
	routes, ok := s.returned("modules").(*ast.CompositeLit)
	if !ok {
		return nil, errors.New("func modules does not return a list in braces, so the routes have no place")
	}
	if err := s.insertLine(routes.Rbrace, fmt.Sprintf("%sapi.New(in(p, request%s), p.Cursors),", m.Name, m.Types)); err != nil {
		return nil, fmt.Errorf("the list in func modules: %w", err)
	}
	operations, ok := s.returned("Operations").(*ast.CallExpr)
	if !ok {
		return nil, errors.New("func Operations does not return a call of op.NewRegistry, so the operations have no place")
	}
	if err := s.insertLine(operations.Rparen, m.Name+"service.Operations,"); err != nil {
		return nil, fmt.Errorf("the call in func Operations: %w", err)
	}
	if err := s.insertImports(m.ours(m.Name+"api", "api"), m.ours(m.Name+"service", "service")); err != nil {
		return nil, err
	}
	return s.format()
}

// source is a Go file and what to insert into it.
type source struct {
	text     []byte
	files    *token.FileSet
	syntax   *ast.File
	inserted map[int]string // by offset
}

func parse(text []byte) (*source, error) {
	s := &source{text: text, files: token.NewFileSet(), inserted: map[int]string{}}
	var err error
	s.syntax, err = parser.ParseFile(s.files, "", text, parser.ParseComments)
	return s, err
}

func (s *source) offset(p token.Pos) int { return s.files.Position(p).Offset }

func (s *source) insert(offset int, text string) { s.inserted[offset] += text }

// insertLine puts a line of its own before a closing bracket, which must
// stand on a line of its own too.
func (s *source) insertLine(closing token.Pos, line string) error {
	end := s.offset(closing)
	start := bytes.LastIndexByte(s.text[:end], '\n') + 1
	if len(bytes.TrimSpace(s.text[start:end])) > 0 {
		return errors.New("its entries do not stand on a line each, with the closing bracket below them")
	}
	s.insert(start, line+"\n")
	return nil
}

// ours is the line that imports a folder of the module under a name, which is
// empty for the folder's own.
func (m module) ours(name, folder string) string {
	return fmt.Sprintf("%s %q", name, m.Module+"/modules/"+m.Name+"/"+folder)
}

// insertImports adds lines to the imports of modules; format sorts them.
func (s *source) insertImports(lines ...string) error {
	for _, spec := range s.syntax.Imports {
		if strings.Contains(spec.Path.Value, "/modules/") {
			s.insert(s.offset(spec.End()), "\n"+strings.Join(lines, "\n"))
			return nil
		}
	}
	return errors.New("no import of a module, beside which the new ones would stand")
}

// declaresVar reports whether the file has a variable of this name.
func (s *source) declaresVar(name string) bool {
	for _, decl := range s.syntax.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			if value, ok := spec.(*ast.ValueSpec); ok && value.Names[0].Name == name {
				return true
			}
		}
	}
	return false
}

// returned is the only value in the last statement of a function, or nil.
func (s *source) returned(function string) ast.Expr {
	for _, decl := range s.syntax.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || fn.Name.Name != function || len(fn.Body.List) == 0 {
			continue
		}
		if last, ok := fn.Body.List[len(fn.Body.List)-1].(*ast.ReturnStmt); ok && len(last.Results) == 1 {
			return last.Results[0]
		}
	}
	return nil
}

// format is the text with everything inserted, formatted.
func (s *source) format() ([]byte, error) {
	var out bytes.Buffer
	for i := range len(s.text) + 1 {
		out.WriteString(s.inserted[i])
		if i < len(s.text) {
			out.WriteByte(s.text[i])
		}
	}
	return format.Source(out.Bytes())
}
