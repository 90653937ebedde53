package archtest

import (
	"go/ast"
	"strings"
)

var databaseCalls = &Rule{
	Name:    "database-calls",
	Law:     "Exec, Query, QueryRow, SendBatch and CopyFrom are called by generated code and platform/pg alone (and by pgserver, pgtest, cmd/schema, cmd/dev, cmd/bench and tests)",
	Instead: "write the query in sql/queries/<m>, run make generate, call the generated method",
	find: func(t *tree, add report) {
		for _, f := range t.files {
			if f.mayTalkSQL() {
				continue
			}
			t.findDatabaseCalls(f, add)
		}
	},
}

// statementMethods send SQL. True: the name is used for nothing else, so that even passing the method on
// counts; Query is also a common field.
var statementMethods = map[string]bool{"Exec": true, "QueryRow": true, "SendBatch": true, "CopyFrom": true, "Query": false}

func (t *tree) findDatabaseCalls(f *file, add report) {
	called := map[*ast.SelectorExpr]bool{}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				break
			}
			called[sel] = true
			// All of them take a context and more; URL.Query() or a pipeline's Exec(ctx) take less.
			if _, sends := statementMethods[sel.Sel.Name]; sends && len(n.Args) >= 2 && !f.isSystemCall(sel) {
				add(f.path, t.line(sel.Sel.Pos()), "calls "+sel.Sel.Name)
			}
		case *ast.SelectorExpr:
			if _, _, foreign := f.qualified(n); statementMethods[n.Sel.Name] && !called[n] && !foreign {
				add(f.path, t.line(n.Sel.Pos()), "passes on the method "+n.Sel.Name)
			}
		}
		return true
	})
}

func (f *file) isSystemCall(e ast.Expr) bool {
	p, _, ok := f.qualified(e)
	return ok && (p == "syscall" || p == "golang.org/x/sys/unix")
}

// mayTalkSQL reports whether SQL is the business of a file: generated queries, platform/pg, the parts that
// start, check and measure databases, and tests.
func (f *file) mayTalkSQL() bool {
	return f.test || f.generated() ||
		f.place.underAny(layerPlatform, "pg", "pgserver", "pgtest") || f.place.underAny(layerCmd, "schema", "dev", "bench")
}

// generated reports whether a file is sqlc's: named *.gen.go or standing among the generated queries, and
// marked as generated.
func (f *file) generated() bool {
	return (strings.HasSuffix(f.path, ".gen.go") || f.place.layer == layerQueries) && ast.IsGenerated(f.syntax)
}
