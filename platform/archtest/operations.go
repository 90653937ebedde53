package archtest

import (
	"fmt"
	"go/ast"
	"strings"
)

var runsOneOperation = &Rule{
	Name:    "one-operation",
	Law:     "every exported method of a service that takes a context calls op.Do exactly once; one that takes a uow.Tx is part of somebody else's operation and never calls it",
	Instead: "wrap the body in one op.Do; split a method that runs two operations; make helpers unexported or give them the Tx",
	find: func(t *tree, add report) {
		for _, f := range t.files {
			if f.test || f.place.layer != layerService {
				continue
			}
			for _, fn := range f.functions() {
				if want, bound := t.operationsOf(f, fn); bound {
					if got := t.countDo(f, fn); got != want {
						add(f.path, t.line(fn.Pos()), fmt.Sprintf("%s calls op.Do %d times, not %d", methodName(fn), got, want))
					}
				}
			}
		}
	},
}

// operationsOf tells how many operations a function has to run. bound is false for those that the law leaves
// alone: unexported ones, constructors, and methods without a context.
func (t *tree) operationsOf(f *file, fn *ast.FuncDecl) (want int, bound bool) {
	switch {
	case !fn.Name.IsExported(), !f.takes(fn.Type, "context", "Context"):
		return 0, false
	case fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "New"):
		return 0, false
	case f.takes(fn.Type, t.module+"/platform/uow", "Tx"):
		return 0, true
	}
	return 1, true
}

// countDo counts the calls of op.Do in a body; one inside a loop counts as many.
func (t *tree) countDo(f *file, fn *ast.FuncDecl) int {
	count := 0
	var walk func(n ast.Node, weight int)
	walk = func(root ast.Node, weight int) {
		ast.Inspect(root, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ForStmt, *ast.RangeStmt:
				if n != root {
					walk(n, 2)
					return false
				}
			case *ast.CallExpr:
				if p, name, ok := f.qualified(callee(n)); ok && p == t.module+"/platform/op" && name == "Do" {
					count += weight
				}
			}
			return true
		})
	}
	walk(fn.Body, 1)
	return count
}

func methodName(fn *ast.FuncDecl) string {
	if r := receiver(fn); r != "" {
		return r + "." + fn.Name.Name
	}
	return fn.Name.Name
}

var operationHasRoute = &Rule{
	Name:    "operation-route",
	Law:     "operations are declared at package level in a service, and every one but a job is named in the api of its module",
	Instead: "register the route in modules/<m>/api with httpx, or declare background work with op.Job",
	find: func(t *tree, add report) {
		routed := t.namedInAPI()
		for _, f := range t.files {
			if f.test || !f.place.inModule() {
				continue
			}
			declared := t.declaredOperations(f)
			for _, d := range declared {
				if f.place.layer == layerService && d.kind != "Job" && !routed[[2]string{f.place.module, d.variable}] {
					add(f.path, t.line(d.call.Pos()), fmt.Sprintf("%s has no route in modules/%s/api", d.variable, f.place.module))
				}
			}
			t.findStrayOperations(f, declared, add)
		}
	},
}

// operation is one op.Def declared as a package variable.
type operation struct {
	variable string
	kind     string // Read, Write or Job
	call     *ast.CallExpr
}

func (t *tree) declaredOperations(f *file) []operation {
	var ops []operation
	f.packageVars(func(name *ast.Ident, _, value ast.Expr) {
		if value == nil {
			return
		}
		ast.Inspect(value, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if kind, ok := t.declares(f, call); ok {
				ops = append(ops, operation{name.Name, kind, call})
			}
			return true
		})
	})
	return ops
}

// declares reports whether a call makes an op.Def.
func (t *tree) declares(f *file, call *ast.CallExpr) (kind string, ok bool) {
	p, name, ok := f.qualified(call.Fun)
	if !ok || p != t.module+"/platform/op" {
		return "", false
	}
	switch name {
	case "Read", "Write", "Job":
		return name, true
	}
	return "", false
}

// findStrayOperations reports operations that are declared where nobody would look for them, or as a bare
// literal that skips the checks of op.
func (t *tree) findStrayOperations(f *file, declared []operation, add report) {
	known := map[*ast.CallExpr]bool{}
	for _, d := range declared {
		known[d.call] = f.place.layer == layerService
	}
	ast.Inspect(f.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if kind, ok := t.declares(f, n); ok && !known[n] {
				add(f.path, t.line(n.Pos()), fmt.Sprintf("op.%s outside the package level of a service", kind))
			}
		case *ast.CompositeLit:
			if p, name, ok := f.qualified(n.Type); ok && p == t.module+"/platform/op" && name == "Def" && len(n.Elts) > 0 {
				add(f.path, t.line(n.Pos()), "op.Def written as a literal")
			}
		}
		return true
	})
}

// namedInAPI collects, per module, what its api mentions of its service.
func (t *tree) namedInAPI() map[[2]string]bool {
	named := map[[2]string]bool{}
	for _, f := range t.files {
		if f.test || f.place.layer != layerAPI {
			continue
		}
		service := t.module + "/modules/" + f.place.module + "/service"
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				if p, name, ok := f.qualified(e); ok && p == service {
					named[[2]string{f.place.module, name}] = true
				}
			}
			return true
		})
	}
	return named
}
