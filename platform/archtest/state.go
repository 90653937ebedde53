package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
)

var noInit = &Rule{
	Name:    "no-init",
	Law:     "modules have no init functions: what a module offers is in its provider sets",
	Instead: "return it from a constructor and name it in <m>module/sets.go",
	find: func(t *tree, add report) {
		for _, f := range t.files {
			if f.test || f.place.module == "" {
				continue
			}
			for _, fn := range f.functions() {
				if fn.Recv == nil && fn.Name.Name == "init" {
					add(f.path, t.line(fn.Pos()), "func init")
				}
			}
		}
	},
}

var noSharedState = &Rule{
	Name:    "no-shared-state",
	Law:     "modules and platform keep no variables at package level that change: tables are written once, where they are declared",
	Instead: "make it a field of a value that a constructor returns; its lifetime is then an argument list in wire_gen",
	find: func(t *tree, add report) {
		vars := t.packageVarNames()
		for _, f := range t.files {
			if !f.mustHoldNoState() {
				continue
			}
			f.packageVars(func(name *ast.Ident, typ, value ast.Expr) {
				if what, ok := f.guardsState(typ, value); ok {
					add(f.path, t.line(name.Pos()), fmt.Sprintf("package variable %s is a %s", name.Name, what))
				}
			})
			for _, fn := range f.functions() {
				t.findWrites(f, fn, vars[f.dir], add)
			}
		}
	},
}

// mustHoldNoState: modules and platform. Test support may keep what one test binary shares, such as its database.
func (f *file) mustHoldNoState() bool {
	switch {
	case f.test, f.place.layer == layerBuilders, f.place.underAny(layerPlatform, forTests...):
		return false
	}
	return f.place.layer == layerPlatform || f.place.module != ""
}

func (t *tree) packageVarNames() map[string]map[string]bool {
	vars := map[string]map[string]bool{}
	for _, f := range t.files {
		if f.test {
			continue
		}
		if vars[f.dir] == nil {
			vars[f.dir] = map[string]bool{}
		}
		f.packageVars(func(name *ast.Ident, _, _ ast.Expr) { vars[f.dir][name.Name] = name.Name != "_" })
	}
	return vars
}

// guardsState recognises types that exist to be changed by several goroutines. sync.Once is not among them: it
// guards what happens once, and a variable that is written there is found by its write.
func (f *file) guardsState(typ, value ast.Expr) (string, bool) {
	if typ == nil {
		if lit, ok := value.(*ast.CompositeLit); ok {
			typ = lit.Type
		}
	}
	if index, ok := typ.(*ast.IndexExpr); ok {
		typ = index.X
	}
	if typ == nil {
		return "", false
	}
	switch p, name, _ := f.qualified(typ); {
	case p == "sync/atomic":
		return "atomic." + name, true
	case p == "sync" && (name == "Map" || name == "Mutex" || name == "RWMutex"):
		return "sync." + name, true
	}
	return "", false
}

// findWrites reports assignments to package variables, to their fields and elements, and deletions.
func (t *tree) findWrites(f *file, fn *ast.FuncDecl, vars map[string]bool, add report) {
	local := localNames(fn)
	check := func(target ast.Expr) {
		if name := root(target); name != "" && vars[name] && !local[name] {
			add(f.path, t.line(target.Pos()), fmt.Sprintf("%s changes the package variable %s", fn.Name.Name, name))
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, left := range n.Lhs {
					check(left)
				}
			}
		case *ast.IncDecStmt:
			check(n.X)
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") && len(n.Args) > 0 {
				check(n.Args[0])
			}
		}
		return true
	})
}

// root is the variable that an assignment in the end changes: table for table.rows[i].
func root(e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x.Name
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return ""
		}
	}
}

// localNames collects every name that a function declares anywhere in it. One that also is a package variable
// is taken to be the local one.
func localNames(fn *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				addIdents(names, n.Lhs...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				addIdents(names, n.Key, n.Value)
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}

func addIdents(names map[string]bool, exprs ...ast.Expr) {
	for _, e := range exprs {
		if id, ok := e.(*ast.Ident); ok {
			names[id.Name] = true
		}
	}
}
