package archtest

import (
	"fmt"
	"strings"
)

var entryPoints = &Rule{
	Name:    "entry-points",
	Law:     "nobody imports cmd or wire_gen; commands may use wire_gen and their own folders",
	Instead: "take what you need as an argument and let wire_gen pass it; tests that need the whole house stand in wire_gen, in cmd or in a top folder that holds tests only",
	find: func(t *tree, add report) {
		t.eachImport(func(f *file, in imported, to place) {
			if (to.layer == layerCmd || to.layer == layerWire) && !mayEnter(f, to) {
				add(f.path, in.line, fmt.Sprintf("%s imports %s", f.place, to))
			}
		})
	},
}

func mayEnter(f *file, to place) bool {
	from := f.place
	if to.layer == layerWire {
		return from.layer == layerCmd || from.layer == layerWire || from.layer == layerElsewhere && f.test
	}
	return from.layer == layerCmd && (command(from) == command(to) || command(to) == "internal")
}

// command is the first folder below cmd/: cmd/dev for cmd/dev/mail.
func command(p place) string {
	name, _, _ := strings.Cut(p.part, "/")
	return name
}

var namedImports = &Rule{
	Name:    "named-imports",
	Law:     "no file imports a package into its own names: what is called must say where it comes from",
	Instead: "import the package under its name",
	find: func(t *tree, add report) {
		for _, f := range t.files {
			for _, in := range f.imports {
				if in.name == "." {
					add(f.path, in.line, "dot import of "+in.path)
				}
			}
		}
	},
}

var resources = &Rule{
	Name:    "resources",
	Law:     "only cmd, wire_gen and platform/pgtest import the embedded SQL of sql/ and schema/",
	Instead: "take an fs.FS as an argument; wire_gen passes sql/migrations",
	find: func(t *tree, add report) {
		t.eachImport(func(f *file, in imported, to place) {
			if to.layer == layerResource && !mayReadSQL(f) {
				add(f.path, in.line, fmt.Sprintf("%s imports %s", f.place, in.path))
			}
		})
	},
}

func mayReadSQL(f *file) bool {
	switch f.place.layer {
	case layerCmd, layerWire, layerResource:
		return true
	case layerElsewhere:
		return f.test
	}
	return f.place.under(layerPlatform, "pgtest")
}

var generatedQueries = &Rule{
	Name:    "generated-queries",
	Law:     "infra/internal/<m>db is imported by the infra of its own module alone",
	Instead: "call the repository, or the contract of the other module",
	find: func(t *tree, add report) {
		t.eachImport(func(f *file, in imported, to place) {
			own := f.place.module == to.module && (f.place.layer == layerInfra || f.place.layer == layerQueries)
			if to.layer == layerQueries && !own {
				add(f.path, in.line, fmt.Sprintf("%s imports %s", f.place, to))
			}
		})
	},
}

var purePlatform = &Rule{
	Name:    "pure-platform",
	Law:     "platform packages that contracts may import stand on one another only, and those of domains on one another only",
	Instead: "declare an interface in the pure package and implement it in the other",
	find: func(t *tree, add report) {
		t.eachImport(func(f *file, in imported, to place) {
			if f.test || to.layer != layerPlatform {
				return
			}
			for _, ground := range [][]string{domainGround, contractGround} {
				if f.place.underAny(layerPlatform, ground...) {
					if !to.underAny(layerPlatform, ground...) {
						add(f.path, in.line, fmt.Sprintf("%s imports %s", f.place, to))
					}
					return
				}
			}
		})
	},
}

var testSupport = &Rule{
	Name:    "test-support",
	Law:     "platform/{pgtest,optest,archtest} and modules/<m>/<m>test serve tests only",
	Instead: "move what the product needs out of the test support",
	find: func(t *tree, add report) {
		t.eachImport(func(f *file, in imported, to place) {
			support := to.layer == layerBuilders || to.underAny(layerPlatform, forTests...)
			if !support || mayTest(f, to) {
				return
			}
			add(f.path, in.line, fmt.Sprintf("%s imports %s", f.place, to))
		})
	},
}

// mayTest allows tests (those of domains and contracts only what serves them: a domain is tested without a
// database), test support itself, and the commands that start or check the embedded parts.
func mayTest(f *file, to place) bool {
	switch f.place.layer {
	case layerContract, layerDomain:
		return false
	case layerBuilders:
		return to.layer == layerPlatform || f.place.module == to.module
	case layerCmd:
		return f.test || command(f.place) != "insula"
	case layerPlatform:
		return to.layer == layerPlatform && (f.test || f.place.underAny(layerPlatform, forTests...))
	}
	return f.test
}
