package archtest

import (
	"fmt"
	"path"
	"strings"
)

var folders = &Rule{
	Name:    "folders",
	Law:     "a module has the folders domain, service, api, infra, infra/internal/<m>db, <m>module and <m>test and no others; product code stands in cmd, modules, platform, wire_gen, sql and schema",
	Instead: "split by file inside these folders; what several modules need is platform; a new kind of folder is a decision for docs/adr and platform/archtest/places.go",
	find: func(t *tree, add report) {
		for _, dir := range t.dirs {
			if inside, ok := strings.CutPrefix(dir, "modules/"); ok && placeOf(dir).layer == layerElsewhere && !isBetween(inside) {
				add(dir, 0, fmt.Sprintf("unknown folder %s in a module", path.Base(dir)))
			}
		}
		for _, f := range t.files {
			switch {
			case f.dir == "modules":
				add(f.path, 0, "a Go file beside the modules")
			case isBetweenDir(f.dir):
				add(f.path, 0, "a Go file in infra/internal itself")
			case f.place.layer == layerElsewhere && f.place.module == "" && !f.test:
				add(f.path, 0, "product code outside the plan's folders")
			case f.place.layer == layerQueries && !f.generated():
				add(f.path, 0, "a file written by hand among the generated queries")
			}
		}
	},
}

// isBetween recognises <m>/infra/internal, which only leads to <m>db.
func isBetween(inside string) bool {
	_, rest, _ := strings.Cut(inside, "/")
	return rest == "infra/internal"
}

func isBetweenDir(dir string) bool {
	inside, ok := strings.CutPrefix(dir, "modules/")
	return ok && isBetween(inside)
}

const composition = "wire_gen/modules.go"

var moduleComposed = &Rule{
	Name:    "module-composed",
	Law:     "every folder of modules/ is named in " + composition + ", the one list of modules",
	Instead: "add the module's provider sets and routes to " + composition + ", or remove the folder",
	find: func(t *tree, add report) {
		composed := map[string]bool{}
		for _, f := range t.files {
			if f.path != composition {
				continue
			}
			for _, in := range f.imports {
				if dir, ok := t.own(in.path); ok {
					composed[placeOf(dir).module] = true
				}
			}
		}
		for _, module := range t.modules() {
			if !composed[module] {
				add("modules/"+module, 0, "module "+module+" is composed nowhere")
			}
		}
	},
}
