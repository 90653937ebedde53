package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
)

var noRepositoryInAPI = &Rule{
	Name:    "no-repository-in-api",
	Law:     "an api names no interface whose methods take a uow.Tx: it cannot have one",
	Instead: "call the service method that runs the operation",
	find: func(t *tree, add report) {
		repositories := t.repositories()
		for _, f := range t.files {
			if f.test || f.place.layer != layerAPI {
				continue
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					if p, name, ok := f.qualified(e); ok && repositories[[2]string{p, name}] {
						add(f.path, t.line(n.Pos()), fmt.Sprintf("%s names %s of %s", f.place, name, p))
					}
				}
				return true
			})
		}
	},
}

// repositories lists the interfaces of domains and contracts that have a method with a uow.Tx among its
// parameters, as import path and name.
func (t *tree) repositories() map[[2]string]bool {
	found := map[[2]string]bool{}
	for _, f := range t.files {
		if f.test || f.place.layer != layerDomain && f.place.layer != layerContract {
			continue
		}
		for _, decl := range f.syntax.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, spec := range gen.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok && t.worksInTx(f, ts.Type) {
					found[[2]string{t.module + "/" + f.dir, ts.Name.Name}] = true
				}
			}
		}
	}
	return found
}

func (t *tree) worksInTx(f *file, typ ast.Expr) bool {
	iface, ok := typ.(*ast.InterfaceType)
	if !ok {
		return false
	}
	for _, m := range iface.Methods.List {
		if fn, ok := m.Type.(*ast.FuncType); ok && f.takes(fn, t.module+"/platform/uow", "Tx") {
			return true
		}
	}
	return false
}
