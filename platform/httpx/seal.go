package httpx

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/insulahq/insula/platform/op"
)

// ownRoutes are the addresses that belong to no operation.
var ownRoutes = map[string]bool{
	"GET /livez": true, "GET /readyz": true, "GET /openapi.json": true,
	"GET /docs": true, "GET /docs/": true, "GET /docs/*": true,
	"GET /.well-known/jwks.json": true,
}

// Seal closes the house: it refuses a route without an operation, an
// operation without a route, a route registered around Router, and an
// operation whose route no declared one matches. Call it once, after every
// module has registered, with the operations of all modules.
func (s *Server) Seal(declared []op.Def) error {
	var problems []error
	names := make(map[string]bool, len(declared))
	for _, d := range declared {
		if names[d.Name] {
			problems = append(problems, fmt.Errorf("operation %s is declared twice", d.Name))
		}
		names[d.Name] = true
		_, routed := s.router.routes[d.Name]
		if routed && d.Guard == op.ByJob {
			problems = append(problems, fmt.Errorf("operation %s is a job and has a route", d.Name))
		}
		if !routed && d.Guard != op.ByJob {
			problems = append(problems, fmt.Errorf("operation %s guards no route", d.Name))
		}
	}
	documented := make(map[string]bool)
	for path, item := range s.router.api.OpenAPI().Paths {
		for method, o := range operationsOf(item) {
			documented[method+" "+colons(path)] = true
			d, ok := defOf(o)
			switch {
			case !ok:
				problems = append(problems, fmt.Errorf("route %s %s has no operation", method, path))
			case !names[d.Name]:
				problems = append(problems, fmt.Errorf("route %s %s has operation %s, which no module declares", method, path, d.Name))
			}
		}
	}
	problems = append(problems, strangers(s.echo, documented)...)
	sort.Slice(problems, func(i, j int) bool { return problems[i].Error() < problems[j].Error() })
	return errors.Join(problems...)
}

// strangers are routes on Echo that the document does not know.
func strangers(e *echo.Echo, documented map[string]bool) []error {
	var found []error
	for _, r := range e.Routes() {
		if r.Method == echo.RouteNotFound || ownRoutes[r.Method+" "+r.Path] {
			continue
		}
		if !documented[r.Method+" "+r.Path] {
			found = append(found, fmt.Errorf("route %s %s was added around the router", r.Method, r.Path))
		}
	}
	return found
}

// colons turns the document's "{id}" into Echo's ":id".
func colons(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

func operationsOf(item *huma.PathItem) map[string]*huma.Operation {
	all := map[string]*huma.Operation{
		"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch,
		"DELETE": item.Delete, "HEAD": item.Head, "OPTIONS": item.Options, "TRACE": item.Trace,
	}
	for method, o := range all {
		if o == nil {
			delete(all, method)
		}
	}
	return all
}
