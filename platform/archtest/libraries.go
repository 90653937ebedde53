package archtest

import (
	"fmt"
	"strings"
)

var (
	// sqlDrivers open a way to the database.
	sqlDrivers = []string{"github.com/jackc/pgx", "github.com/jackc/puddle", "github.com/jackc/pgconn", "github.com/lib/pq", "database/sql"}
	// poolPackages hold connections, which even infra must not: its Tx brings the one to use.
	poolPackages = []string{"github.com/jackc/pgx/v5/pgxpool", "github.com/jackc/pgx/v5/stdlib", "github.com/jackc/puddle", "database/sql"}
	// webFrameworks serve HTTP.
	webFrameworks = []string{"github.com/labstack", "github.com/danielgtaylor/huma"}
	// pure are the libraries that do no input or output of their own.
	pure = []string{
		"github.com/google/uuid", "golang.org/x/text", "golang.org/x/crypto", "golang.org/x/mod/sumdb", "golang.org/x/sync",
		"github.com/gabriel-vasile/mimetype", "github.com/hashicorp/golang-lru/v2",
	}
	// forTestsOnly may stand beside pure in tests.
	forTestsOnly = []string{"pgregory.net/rapid", "go.uber.org/goleak"}
	// impureStandard reaches the machine, the network or the log.
	impureStandard = []string{
		"database/sql", "expvar", "log", "net", "net/http", "net/rpc", "net/smtp", "net/textproto", "os", "os/exec", "os/signal", "os/user", "plugin", "syscall", "unsafe",
	}
)

var databaseDriver = &Rule{
	Name:    "database-driver",
	Law:     "the PostgreSQL driver belongs to platform/pg, pgserver and pgtest, infra (without a pool), wire_gen and cmd",
	Instead: "write the query in sql/queries and call it from a repository in infra; in infra use pg.DB(tx)",
	find: func(t *tree, add report) {
		t.eachForeignImport(func(f *file, in imported) {
			if isOneOf(in.path, sqlDrivers) && !mayDrive(f, in.path) {
				add(f.path, in.line, fmt.Sprintf("%s imports %s", f.place, in.path))
			}
		})
	},
}

func mayDrive(f *file, driver string) bool {
	switch f.place.layer {
	case layerCmd, layerWire:
		return true
	case layerInfra, layerQueries:
		return f.test || !isOneOf(driver, poolPackages)
	case layerElsewhere:
		return f.test
	}
	return f.place.underAny(layerPlatform, "pg", "pgserver", "pgtest")
}

var webFramework = &Rule{
	Name:    "web-framework",
	Law:     "Echo and Huma are known to platform/httpx alone",
	Instead: "use platform/httpx; what is missing there is added there",
	find: func(t *tree, add report) {
		t.eachForeignImport(func(f *file, in imported) {
			if isOneOf(in.path, webFrameworks) && !f.place.under(layerPlatform, "httpx") {
				add(f.path, in.line, fmt.Sprintf("%s imports %s", f.place, in.path))
			}
		})
	},
}

var pureLibraries = &Rule{
	Name:    "pure-libraries",
	Law:     "contract, domain, service and api, and the platform packages they stand on, use pure libraries and (api aside) no part of the standard library that reaches the machine",
	Instead: "put the adapter into infra or platform behind an interface; a library that is pure joins the list in platform/archtest/libraries.go",
	find: func(t *tree, add report) {
		t.eachForeignImport(func(f *file, in imported) {
			switch {
			case !mustBePure(f.place), isOneOf(in.path, sqlDrivers), isOneOf(in.path, webFrameworks), isPure(in.path):
			case f.place.layer == layerAPI && isStandard(in.path):
			case f.test && (testsOnParts(f.place) || isOneOf(in.path, forTestsOnly) || in.path == "os"):
			default:
				add(f.path, in.line, fmt.Sprintf("%s imports %s", f.place, in.path))
			}
		})
	},
}

// testsOnParts: tests of these run against real parts and may reach them as they like.
func testsOnParts(p place) bool {
	return p.layer == layerService || p.layer == layerAPI || p.layer == layerPlatform
}

func mustBePure(p place) bool {
	switch p.layer {
	case layerContract, layerDomain, layerService, layerAPI:
		return true
	}
	return p.underAny(layerPlatform, domainGround...) || p.underAny(layerPlatform, "op", "authn", "scope")
}

func isPure(library string) bool {
	if isStandard(library) {
		for _, impure := range impureStandard {
			if library == impure {
				return false
			}
		}
		return true
	}
	return isOneOf(library, pure)
}

// isStandard reports whether a path belongs to the standard library: its first part has no dot.
func isStandard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// isOneOf reports whether a path is one of the libraries or a package inside one.
func isOneOf(importPath string, libraries []string) bool {
	for _, l := range libraries {
		if importPath == l || strings.HasPrefix(importPath, l+"/") {
			return true
		}
	}
	return false
}

// eachForeignImport visits every import of the standard library and of other modules.
func (t *tree) eachForeignImport(visit func(f *file, in imported)) {
	for _, f := range t.files {
		for _, in := range f.imports {
			if _, ours := t.own(in.path); !ours {
				visit(f, in)
			}
		}
	}
}
