package archtest

import "strings"

// layer is the part that a folder plays in the house.
type layer string

const (
	layerElsewhere layer = "elsewhere"   // outside the plan
	layerCmd       layer = "cmd"         // entry points
	layerWire      layer = "wire_gen"    // injectors
	layerPlatform  layer = "platform"    // technical ground
	layerResource  layer = "resource"    // SQL files, embedded
	layerContract  layer = "contract"    // modules/<m>
	layerDomain    layer = "domain"      // modules/<m>/domain
	layerService   layer = "service"     // modules/<m>/service
	layerAPI       layer = "api"         // modules/<m>/api
	layerInfra     layer = "infra"       // modules/<m>/infra
	layerQueries   layer = "queries"     // modules/<m>/infra/internal/<m>db
	layerSets      layer = "module sets" // modules/<m>/<m>module
	layerBuilders  layer = "builders"    // modules/<m>/<m>test
)

// place says where in the house a folder stands.
type place struct {
	layer  layer
	module string // which module, for the layers of one
	part   string // the folder below cmd/ or platform/, for example "pg" or "pg/conn"
}

// placeOf reads the place from the path of a folder.
func placeOf(dir string) place {
	top, rest, _ := strings.Cut(dir, "/")
	switch top {
	case "cmd":
		return place{layer: layerCmd, part: rest}
	case "wire_gen":
		return place{layer: layerWire, part: rest}
	case "platform":
		return place{layer: layerPlatform, part: rest}
	case "sql", "schema":
		return place{layer: layerResource, part: rest}
	case "modules":
		module, inside, _ := strings.Cut(rest, "/")
		return place{layer: layerIn(module, inside), module: module}
	}
	return place{layer: layerElsewhere, part: dir}
}

func layerIn(module, inside string) layer {
	switch inside {
	case "":
		return layerContract
	case "domain":
		return layerDomain
	case "service":
		return layerService
	case "api":
		return layerAPI
	case "infra":
		return layerInfra
	case "infra/internal/" + module + "db":
		return layerQueries
	case module + "module":
		return layerSets
	case module + "test":
		return layerBuilders
	}
	return layerElsewhere
}

// under reports whether the place is the named folder below platform/ or cmd/, or inside it.
func (p place) under(l layer, part string) bool {
	return p.layer == l && (p.part == part || strings.HasPrefix(p.part, part+"/"))
}

// underAny is under for several folders of one layer.
func (p place) underAny(l layer, parts ...string) bool {
	for _, part := range parts {
		if p.under(l, part) {
			return true
		}
	}
	return false
}

// inModule reports whether the place belongs to a module, in a folder that the plan knows.
func (p place) inModule() bool { return p.module != "" && p.layer != layerElsewhere }

// String names the place as a reader of a violation would.
func (p place) String() string {
	switch {
	case p.module != "":
		return p.module + "'s " + string(p.layer)
	case p.layer == layerElsewhere || p.part == "":
		return string(p.layer)
	}
	return string(p.layer) + "/" + p.part
}
