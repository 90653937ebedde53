package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

var transactionMakers = &Rule{
	Name:    "transaction-makers",
	Law:     "platform/pg alone makes transactions and units of work; platform/op opens them for operations and platform/gate for the state of a caller; wire_gen and cmd join them",
	Instead: "run the operation through op.Do and use the Tx it gives, or take a uow.Tx as an argument",
	find: func(t *tree, add report) {
		makers := t.transactionMakers()
		for _, f := range t.files {
			if f.mayMakeTransactions() {
				continue
			}
			t.findTransactionMaking(f, makers, add)
		}
		t.findOwnTransactions(add)
	},
}

// mayMakeTransactions: tests of platform may fake a Tx, and tests of modules may hold a Unit.
func (f *file) mayMakeTransactions() bool {
	switch f.place.layer {
	case layerCmd, layerWire, layerBuilders:
		return true
	case layerPlatform:
		return f.test || f.place.underAny(layerPlatform, "uow", "op", "gate", "pg") || f.place.underAny(layerPlatform, forTests...)
	}
	return f.test
}

// transactionMakers lists what gives a Tx or a Unit to a caller who has no Tx, as import path and name: the
// functions of platform/uow and platform/pg that return one, the types of platform/pg with a method that does,
// and the functions that return such a type. A unit for the control schema has a type of its own and is not
// among them: process-long parts in infra may hold it.
func (t *tree) transactionMakers() map[[2]string]bool {
	makers := map[[2]string]bool{}
	for _, f := range t.files {
		if f.test || f.dir != "platform/uow" && f.dir != "platform/pg" {
			continue
		}
		for _, fn := range f.functions() {
			if !fn.Name.IsExported() || !t.givesTransaction(f, fn) {
				continue
			}
			name := fn.Name.Name
			if fn.Recv != nil {
				name = receiver(fn)
			}
			makers[[2]string{t.module + "/" + f.dir, name}] = true
		}
	}
	t.addOpeners(makers)
	return makers
}

func (t *tree) givesTransaction(f *file, fn *ast.FuncDecl) bool {
	uow := t.module + "/platform/uow"
	gives := f.returns(fn.Type, uow, "Tx") || f.returns(fn.Type, uow, "Unit") || f.dir == "platform/uow" && returnsPlain(fn.Type, "Tx", "Unit")
	return gives && !f.takes(fn.Type, uow, "Tx")
}

// addOpeners adds the functions of platform/pg that return a type which is a maker itself.
func (t *tree) addOpeners(makers map[[2]string]bool) {
	pg := t.module + "/platform/pg"
	var types []string
	for maker := range makers {
		if maker[0] == pg {
			types = append(types, maker[1])
		}
	}
	for _, f := range t.files {
		if f.test || f.dir != "platform/pg" {
			continue
		}
		for _, fn := range f.functions() {
			if fn.Recv == nil && fn.Name.IsExported() && returnsPlain(fn.Type, types...) {
				makers[[2]string{pg, fn.Name.Name}] = true
			}
		}
	}
}

// returnsPlain reports whether a function returns a type of its own package by one of the names.
func returnsPlain(fn *ast.FuncType, names ...string) bool {
	if fn.Results == nil {
		return false
	}
	for _, field := range fn.Results.List {
		typ := field.Type
		if star, ok := typ.(*ast.StarExpr); ok {
			typ = star.X
		}
		if id, ok := typ.(*ast.Ident); ok && slices.Contains(names, id.Name) {
			return true
		}
	}
	return false
}

func (t *tree) findTransactionMaking(f *file, makers map[[2]string]bool, add report) {
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		p, name, ok := f.qualified(sel)
		switch {
		case ok && makers[[2]string{p, name}]:
			add(f.path, t.line(sel.Pos()), fmt.Sprintf("%s makes transactions with %s", f.place, name))
		case ok && p == t.module+"/platform/uow" && name == "Unit":
			add(f.path, t.line(sel.Pos()), fmt.Sprintf("%s holds a uow.Unit", f.place))
		}
		return true
	})
}

// findOwnTransactions reports types outside platform/pg that have the methods of a uow.Tx.
func (t *tree) findOwnTransactions(add report) {
	type method struct {
		file *file
		pos  token.Pos
	}
	seen := map[string]method{} // folder and type name -> its AfterCommit
	for pass := range 2 {
		for _, f := range t.files {
			if f.test || f.place.underAny(layerPlatform, "uow", "pg") || f.place.underAny(layerPlatform, forTests...) {
				continue
			}
			for _, fn := range f.functions() {
				key := f.dir + "." + receiver(fn)
				switch {
				case fn.Recv == nil:
				case pass == 0 && fn.Name.Name == "AfterCommit":
					seen[key] = method{f, fn.Pos()}
				case pass == 1 && fn.Name.Name == "Trail":
					if m, ok := seen[key]; ok {
						add(m.file.path, t.line(m.pos), fmt.Sprintf("%s declares a transaction of its own, %s", f.place, receiver(fn)))
					}
				}
			}
		}
	}
}

// receiver is the name of a method's type.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	typ := fn.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	switch x := typ.(type) {
	case *ast.IndexExpr:
		typ = x.X
	case *ast.IndexListExpr:
		typ = x.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}
