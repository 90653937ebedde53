package archtest

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

var machineInputs = &Rule{
	Name:    "machine-inputs",
	Law:     "domain and service read no clock, make no ids and draw no chance by themselves",
	Instead: "take the instant, the id or the secret as an argument, in a service from the clock.Clock and id.Source it was built with",
	find: func(t *tree, add report) {
		for _, f := range t.files {
			if f.test || f.place.layer != layerDomain && f.place.layer != layerService {
				continue
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if p, name, ok := f.qualified(sel); ok && t.asksMachine(p, name) {
					add(f.path, t.line(sel.Pos()), fmt.Sprintf("%s uses %s of %s", f.place, name, p))
				}
				return true
			})
		}
	},
}

// wallClock are the parts of package time that read or wait for the machine's clock.
var wallClock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func (t *tree) asksMachine(importPath, name string) bool {
	switch importPath {
	case "time":
		return slices.Contains(wallClock, name)
	case "github.com/google/uuid":
		return strings.HasPrefix(name, "New")
	case "math/rand", "math/rand/v2", "crypto/rand":
		return true
	case t.module + "/platform/clock", t.module + "/platform/id":
		return name == "System"
	}
	return false
}
