package archtest

import (
	"slices"
	"strings"
)

// embeddedLibraries stand in for real servers while developing and testing.
var embeddedLibraries = []string{
	"github.com/alicebob/miniredis", "github.com/emersion/go-smtp", "github.com/versity/versitygw",
	"pgregory.net/rapid", "go.uber.org/goleak", "testing",
}

var embeddedParts = &Rule{
	Name:    "embedded-parts",
	Law:     "nothing that cmd/insula imports, directly or not, is an embedded server or test support",
	Instead: "break the chain at the package that does not need it: the product reaches its servers by address, cmd/dev starts them",
	find: func(t *tree, add report) {
		for _, s := range t.reachableFrom("cmd/insula") {
			if dir, ours := t.own(s.in.path); ours && !isEmbedded(placeOf(dir)) || !ours && !isOneOf(s.in.path, embeddedLibraries) {
				continue
			}
			add(s.from.path, s.in.line, strings.Join(append(s.chain, s.in.path), " -> "))
		}
	},
}

func isEmbedded(p place) bool {
	return p.layer == layerBuilders || p.under(layerPlatform, "pgserver") || p.underAny(layerPlatform, forTests...) || p.under(layerCmd, "dev")
}

// step is one import found on the way from an entry point.
type step struct {
	from  *file
	in    imported
	chain []string // folders from the entry point to the importing one
}

// reachableFrom lists every import of every package that the product files of a folder, and of the folders
// below it, reach. Build tags are ignored: what one platform links counts for all.
func (t *tree) reachableFrom(entry string) []step {
	byDir := map[string][]*file{}
	var queue []string
	chain := map[string][]string{}
	for _, f := range t.files {
		if f.test {
			continue
		}
		if inside := f.dir == entry || strings.HasPrefix(f.dir, entry+"/"); inside && byDir[f.dir] == nil {
			queue = append(queue, f.dir)
			chain[f.dir] = []string{f.dir}
		}
		byDir[f.dir] = append(byDir[f.dir], f)
	}
	var steps []step
	for len(queue) > 0 {
		dir := queue[0]
		queue = queue[1:]
		for _, f := range byDir[dir] {
			for _, in := range f.imports {
				steps = append(steps, step{from: f, in: in, chain: slices.Clone(chain[dir])})
				if next, ours := t.own(in.path); ours && chain[next] == nil && byDir[next] != nil {
					chain[next] = append(slices.Clone(chain[dir]), next)
					queue = append(queue, next)
				}
			}
		}
	}
	return steps
}
