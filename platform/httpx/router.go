// Package httpx is the HTTP side of the house: the only package that knows
// Echo and Huma. Modules get a *Router and register an operation in a line:
//
//	httpx.Post(r, service.Create, "/v1/users", h.create)
//
// From that one value come the guard that is enforced before the body is
// read, the OpenAPI operation, the label on the metric and the line in the
// permission reference. Errors are turned into problem documents in one place
// (problem.go); handlers return them and never write them.
package httpx

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/insulahq/insula/platform/op"
)

// Router is where modules register their routes.
type Router struct {
	api      huma.API
	problems problems
	maxBody  int64
	routes   map[string]route
	streams  map[address]bool // that Streams marked
}

type route struct {
	def    op.Def
	method string
	path   string
}

// address is where a request arrives, the path in Echo's form (/users/:id).
type address struct{ method, path string }

// RouteOption refines the description of a route.
type RouteOption func(*huma.Operation)

// Status sets the status of a successful answer; 200 (204 without a body)
// when not given.
func Status(code int) RouteOption {
	return func(o *huma.Operation) { o.DefaultStatus = code }
}

// Describe adds paragraphs to the operation's description (Markdown).
func Describe(text string) RouteOption {
	return func(o *huma.Operation) { o.Description = text }
}

// Secret marks an answer that no cache may keep: tokens and the like.
func Secret(o *huma.Operation) { o.Metadata[secretKey] = true }

// Streams marks a route that answers for as long as it takes: it has no limit
// of time, and is not held back to be compressed.
func Streams(o *huma.Operation) { o.Metadata[streamsKey] = true }

// Linked marks a public route that browsers reach by a link: its query
// parameter "tenant" is one more hint at the tenant.
func Linked(o *huma.Operation) { o.Metadata[linkedKey] = true }

// Ticketed marks a route that also takes a ticket, in the query parameter
// "ticket", where a client can not send a header: the EventSource of browsers.
// Its input needs a field of that name.
func Ticketed(o *huma.Operation) { o.Metadata[ticketKey] = true }

const (
	linkedKey  = "linked"
	defKey     = "operation"
	secretKey  = "secret"
	streamsKey = "streams"
	ticketKey  = "ticketed"
)

const ticketQuery = "ticket"

// Get registers a route for an operation that reads.
func Get[I, O any](r *Router, d op.Def, path string, h func(context.Context, *I) (*O, error), opts ...RouteOption) {
	register(r, d, http.MethodGet, path, h, opts)
}

// Post registers a route that creates or acts.
func Post[I, O any](r *Router, d op.Def, path string, h func(context.Context, *I) (*O, error), opts ...RouteOption) {
	register(r, d, http.MethodPost, path, h, opts)
}

// Put registers a route that replaces.
func Put[I, O any](r *Router, d op.Def, path string, h func(context.Context, *I) (*O, error), opts ...RouteOption) {
	register(r, d, http.MethodPut, path, h, opts)
}

// Patch registers a route that changes some fields.
func Patch[I, O any](r *Router, d op.Def, path string, h func(context.Context, *I) (*O, error), opts ...RouteOption) {
	register(r, d, http.MethodPatch, path, h, opts)
}

// Delete registers a route that removes.
func Delete[I, O any](r *Router, d op.Def, path string, h func(context.Context, *I) (*O, error), opts ...RouteOption) {
	register(r, d, http.MethodDelete, path, h, opts)
}

func register[I, O any](r *Router, d op.Def, method, path string, h func(context.Context, *I) (*O, error), opts []RouteOption) {
	o := huma.Operation{
		OperationID:  d.Name,
		Method:       method,
		Path:         path,
		Summary:      d.Summary,
		Tags:         []string{d.Module()},
		MaxBodyBytes: r.maxBody,
		Metadata:     map[string]any{defKey: d},
		Errors:       possibleErrors(d, method, path),

		BodyReadTimeout: patience, // as the connection has it already: Huma's own choice is shorter
	}
	for _, opt := range opts {
		opt(&o)
	}
	describeGuard(&o, d)
	if streams, _ := o.Metadata[streamsKey].(bool); streams {
		r.streams[address{method, colons(path)}] = true
	}
	r.routes[d.Name] = route{def: d, method: method, path: path}
	secret, _ := o.Metadata[secretKey].(bool)
	huma.Register(r.api, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			problem := r.problems.from(ctx, err)
			problem.secret = secret // Huma adds a problem's headers to those that are there
			return nil, problem
		}
		return out, nil
	})
}

// describeGuard writes into the document what the guard enforces.
func describeGuard(o *huma.Operation, d op.Def) {
	var need string
	switch d.Guard {
	case op.ByPermission:
		need = "Needs the permission `" + d.Name + "`."
		if d.OwnerToo {
			need = "Needs the permission `" + d.Name + "`, or that the " + d.Owned() + " is yours."
		}
		o.Security = []map[string][]string{{"bearer": {d.Name}}}
	case op.ByLandlord:
		need = "Needs the permission `" + d.Name + "` in the operator's tenant."
		o.Security = []map[string][]string{{"bearer": {d.Name}}}
	case op.BySession:
		need = "Needs any signed-in user."
		if d.AnyKey {
			need = "Needs any signed-in user or API key."
		}
		o.Security = []map[string][]string{{"bearer": {}}}
	case op.ByNobody:
		need = "Public: " + d.Reason
		o.Security = []map[string][]string{}
	}
	o.Description = strings.TrimSpace(o.Description + "\n\n" + need)
}

// possibleErrors lists the statuses that the layers around a handler answer
// with; each of them is a problem document.
func possibleErrors(d op.Def, method, path string) []int {
	statuses := []int{http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity,
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if d.Guard != op.ByNobody {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	if method != http.MethodGet {
		statuses = append(statuses, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if strings.Contains(path, "{id}") && (method == http.MethodPut || method == http.MethodPatch || method == http.MethodDelete) {
		statuses = append(statuses, http.StatusPreconditionFailed, http.StatusPreconditionRequired)
	}
	slices.Sort(statuses)
	return statuses
}

// defOf is the operation behind a Huma operation; absent for a route that was
// registered around Router, which nothing lets through.
func defOf(o *huma.Operation) (op.Def, bool) {
	d, ok := o.Metadata[defKey].(op.Def)
	return d, ok && d.Name != "" // a route of the zero Def has none
}
