package archtest

import (
	"go/ast"
	"go/token"
)

// qualified resolves a selector such as time.Now to the import path and name; ok is false when the left side
// is not an imported package.
func (f *file) qualified(e ast.Expr) (importPath, name string, ok bool) {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", "", false
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", "", false
	}
	for _, in := range f.imports {
		if in.name == x.Name {
			return in.path, sel.Sel.Name, true
		}
	}
	return "", "", false
}

// callee strips the type arguments of a generic call.
func callee(call *ast.CallExpr) ast.Expr {
	switch fun := call.Fun.(type) {
	case *ast.IndexExpr:
		return fun.X
	case *ast.IndexListExpr:
		return fun.X
	}
	return call.Fun
}

// takes reports whether a function has a parameter of the named type of the imported package.
func (f *file) takes(fn *ast.FuncType, importPath, name string) bool {
	return f.mentions(fn.Params, importPath, name)
}

// returns is takes for results.
func (f *file) returns(fn *ast.FuncType, importPath, name string) bool {
	return f.mentions(fn.Results, importPath, name)
}

func (f *file) mentions(fields *ast.FieldList, importPath, name string) bool {
	if fields == nil {
		return false
	}
	for _, field := range fields.List {
		if p, n, ok := f.qualified(field.Type); ok && p == importPath && n == name {
			return true
		}
	}
	return false
}

// packageVars visits every variable that a file declares at package level. The value is nil where none is
// given.
func (f *file) packageVars(visit func(name *ast.Ident, typ, value ast.Expr)) {
	for _, decl := range f.syntax.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			vs, ok := spec.(*ast.ValueSpec)
			if !ok {
				continue
			}
			for i, name := range vs.Names {
				var value ast.Expr
				if i < len(vs.Values) {
					value = vs.Values[i]
				}
				visit(name, vs.Type, value)
			}
		}
	}
}

// functions returns the functions and methods that a file declares with a body.
func (f *file) functions() []*ast.FuncDecl {
	var fns []*ast.FuncDecl
	for _, decl := range f.syntax.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
			fns = append(fns, fn)
		}
	}
	return fns
}
