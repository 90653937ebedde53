package archtest_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/wasilibs/go-pgquery/parser"
)

// node is a part of a statement as PostgreSQL's own parser sees it.
type node = map[string]any

// statement is one statement of a file.
type statement struct {
	file  string
	line  int
	scope string // control, tenant or query
	kind  string // CreateStmt, InsertStmt …
	body  node
}

func (s statement) at() string { return fmt.Sprintf("%s:%d", s.file, s.line) }

// sqlScopes is where statements stand and what they are for.
var sqlScopes = []struct{ dir, scope string }{
	{"schema/control", "control"}, {"schema/tenant", "tenant"},
	{"sql/migrations/control", "control"}, {"sql/migrations/tenant", "tenant"},
	{"sql/queries", "query"},
}

// sqlStatements parses every statement of a tree of files, by directory.
func sqlStatements(tree fs.FS) (map[string][]statement, error) {
	all := map[string][]statement{}
	for _, s := range sqlScopes {
		err := fs.WalkDir(tree, s.dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".sql" {
				return err
			}
			text, err := fs.ReadFile(tree, name)
			if err != nil {
				return err
			}
			found, err := parseSQL(name, s.scope, string(text))
			all[s.dir] = append(all[s.dir], found...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// parameter is how sqlc writes one; to PostgreSQL it would be an operator.
var parameter = regexp.MustCompile(`@([a-z_][a-z0-9_]*)`)

func parseSQL(file, scope, text string) ([]statement, error) {
	if scope == "query" {
		text = parameter.ReplaceAllStringFunc(text, func(p string) string { return "$1" + strings.Repeat(" ", len(p)-2) })
	}
	tree, err := parser.ParseToJSON(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var parsed struct {
		Stmts []struct {
			Stmt     map[string]node `json:"stmt"`
			Location int             `json:"stmt_location"`
		} `json:"stmts"`
	}
	if err := json.Unmarshal([]byte(tree), &parsed); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var out []statement
	for _, s := range parsed.Stmts {
		for kind, body := range s.Stmt {
			out = append(out, statement{file: file, line: lineOf(text, s.Location), scope: scope, kind: kind, body: body})
		}
	}
	return out, nil
}

// lineOf counts to where a statement really begins, past what stands before it.
func lineOf(text string, offset int) int {
	line := 1 + strings.Count(text[:offset], "\n")
	for _, l := range strings.Split(text[offset:], "\n") {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "--") {
			break
		}
		line++
	}
	return line
}

// visit calls see for every node below n with its kind, parents first; where
// see answers false it goes no deeper.
func visit(n any, see func(kind string, body node) bool) {
	switch n := n.(type) {
	case node:
		for kind, child := range n {
			if body, ok := child.(node); ok && kind[0] >= 'A' && kind[0] <= 'Z' && !see(kind, body) {
				continue
			}
			visit(child, see)
		}
	case []any:
		for _, child := range n {
			visit(child, see)
		}
	}
}

// list and text read a field that may not be there: PostgreSQL leaves out what is empty.
func list(n node, field string) []any { l, _ := n[field].([]any); return l }

func text(n node, field string) string { s, _ := n[field].(string); return s }

// inner is the node of a kind that a list element or field holds.
func inner(n any, kind string) (node, bool) {
	m, _ := n.(node)
	body, ok := m[kind].(node)
	return body, ok
}

// lastName is the last part of a qualified name.
func lastName(parts []any) string {
	if len(parts) == 0 {
		return ""
	}
	s, _ := inner(parts[len(parts)-1], "String")
	return text(s, "sval")
}
