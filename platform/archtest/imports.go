package archtest

import "fmt"

// Ground that each layer may stand on, as folders of platform/.
var (
	// domainGround is pure: values and errors, no caller, no tenant, no operation.
	domainGround = []string{"errs", "uow", "page", "id", "clock", "secret", "perm", "setting", "notary"}
	// contractGround adds what other modules must be able to name.
	contractGround = []string{"errs", "uow", "page", "id", "clock", "secret", "perm", "setting", "notary", "op", "authn", "scope", "tenancy"}

	// forTests is never part of the product.
	forTests = []string{"pgtest", "optest", "archtest"}
	// besideServices: the database's wiring, HTTP, settings and embedded parts are none of a service's business.
	besideServices = []string{"pg", "httpx", "config", "pgserver"}
	besideInfra    = []string{"httpx", "config", "pgserver"}
	// besideAPI: no transaction and no driver of the database.
	besideAPI = []string{"uow", "pg", "config", "pgserver"}
)

// arrow says what one layer may import among our own packages.
type arrow struct {
	from    layer
	law     string
	instead string
	may     func(from, to place) bool
}

// arrows returns one rule for each layer that has limits.
func arrows() []*Rule {
	var rules []*Rule
	for _, a := range []arrow{contractArrow, domainArrow, serviceArrow, apiArrow, infraArrow, queriesArrow, setsArrow, buildersArrow, platformArrow} {
		rules = append(rules, &Rule{Name: "imports-of-" + ruleWord(a.from), Law: a.law, Instead: a.instead, find: a.find})
	}
	return rules
}

var contractArrow = arrow{
	from:    layerContract,
	law:     "a contract imports pure platform packages only, so that every module can import it",
	instead: "keep ids, small read models and interfaces in the contract; move what needs more into domain or service",
	may: func(from, to place) bool {
		return ownLayer(from, to, layerContract) || to.underAny(layerPlatform, contractGround...)
	},
}

var domainArrow = arrow{
	from:    layerDomain,
	law:     "a domain imports its own contract and platform/{errs,uow,page,id,clock,secret,perm,setting}",
	instead: "declare an interface in the domain and implement it in infra, or take the value as an argument",
	may: func(from, to place) bool {
		return ownLayer(from, to, layerContract, layerDomain) || to.underAny(layerPlatform, domainGround...)
	},
}

var serviceArrow = arrow{
	from:    layerService,
	law:     "a service imports its own contract and domain, other contracts, and platform without pg, httpx and config",
	instead: "reach data through a repository interface of the domain, another module through its contract; return errors instead of status codes",
	may: func(from, to place) bool {
		return ownLayer(from, to, layerContract, layerDomain, layerService) || otherContract(from, to) || ground(to, besideServices)
	},
}

var apiArrow = arrow{
	from:    layerAPI,
	law:     "an api imports its own contract, domain and service, and platform without uow, pg and config",
	instead: "call a service method; it opens the unit of work and reaches other modules",
	may: func(from, to place) bool {
		return ownLayer(from, to, layerContract, layerDomain, layerService, layerAPI) || ground(to, besideAPI)
	},
}

var infraArrow = arrow{
	from:    layerInfra,
	law:     "infra imports its own contract, domain and generated queries, other contracts, and platform without httpx and config",
	instead: "use the other module's contract with the same Tx; settings arrive as arguments of the constructor",
	may: func(from, to place) bool {
		return ownLayer(from, to, layerContract, layerDomain, layerInfra) || otherContract(from, to) || ground(to, besideInfra)
	},
}

var queriesArrow = arrow{
	from:    layerQueries,
	law:     "generated queries import no package of ours",
	instead: "keep the types of the driver in sqlc.yaml and convert in infra",
	may:     func(_, _ place) bool { return false },
}

var setsArrow = arrow{
	from:    layerSets,
	law:     "a module's provider sets import its own layers, other contracts and platform",
	instead: "bind another module's contract in wire_gen, where all modules meet",
	may: func(from, to place) bool {
		return ownLayer(from, to, layerContract, layerDomain, layerService, layerAPI, layerInfra, layerSets) ||
			otherContract(from, to) || ground(to, nil)
	},
}

var buildersArrow = arrow{
	from:    layerBuilders,
	law:     "test builders import their own module, other contracts and platform",
	instead: "take what another module makes as an argument of the builder",
	may: func(from, to place) bool {
		return from.module == to.module || otherContract(from, to) || to.layer == layerPlatform
	},
}

var platformArrow = arrow{
	from:    layerPlatform,
	law:     "platform imports platform only: it knows no module",
	instead: "declare the interface you need in platform and let a module implement it; wire_gen brings them together",
	may:     func(_, to place) bool { return to.layer == layerPlatform },
}

// find reports every import of the layer that its arrow does not allow. Imports that have a rule of their
// own (entry points, resources, generated queries, test support) are left to it.
func (a arrow) find(t *tree, add report) {
	t.eachImport(func(f *file, in imported, to place) {
		if f.place.layer != a.from || to.ruledElsewhere() {
			return
		}
		if a.may(f.place, to) || f.test && testMay(f.place, to) {
			return
		}
		add(f.path, in.line, fmt.Sprintf("%s imports %s", f.place, to))
	})
}

// testMay widens the arrow for tests of the layers that are tested on a real database: everything of their
// own module, contracts and builders of others, all of platform. Domains and contracts are tested as they
// are built, without any of it.
func testMay(from, to place) bool {
	switch from.layer {
	case layerService, layerAPI, layerInfra, layerSets, layerBuilders:
		return from.module == to.module || otherContract(from, to) || to.layer == layerBuilders || to.layer == layerPlatform
	}
	return false
}

func (p place) ruledElsewhere() bool {
	switch p.layer {
	case layerCmd, layerWire, layerResource, layerQueries, layerBuilders:
		return true
	}
	return p.underAny(layerPlatform, forTests...)
}

func ownLayer(from, to place, layers ...layer) bool {
	for _, l := range layers {
		if to.module == from.module && to.layer == l {
			return true
		}
	}
	return false
}

func otherContract(from, to place) bool {
	return to.layer == layerContract && to.module != from.module
}

func ground(to place, without []string) bool {
	return to.layer == layerPlatform && !to.underAny(layerPlatform, without...)
}

func ruleWord(l layer) string {
	if l == layerSets {
		return "module-sets"
	}
	return string(l)
}

// eachImport visits every import of one of our own packages.
func (t *tree) eachImport(visit func(f *file, in imported, to place)) {
	for _, f := range t.files {
		for _, in := range f.imports {
			if dir, ok := t.own(in.path); ok {
				visit(f, in, placeOf(dir))
			}
		}
	}
}
