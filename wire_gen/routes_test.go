package wiregen_test

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/op"
	wiregen "github.com/insulahq/insula/wire_gen"
)

// route is where an operation is served.
type route struct {
	op.Def
	method, path string
}

// about is the path with this id in it.
func (r route) about(id string) string {
	return strings.NewReplacer("{id}", id, "{session}", someID(), "{backup_id}", someID()).Replace(r.path)
}

// takesID reports whether the path names one thing.
func (r route) takesID() bool { return strings.Contains(r.path, "{id}") }

// routes are what the house serves, by operation, as its document tells.
func (h *house) routes(t *testing.T) map[string]route {
	t.Helper()
	type operation struct {
		ID string `json:"operationId"`
	}
	doc := decode[struct {
		Paths map[string]map[string]operation
	}](t, h.bearer("").with("Authorization", "").get(t, "/openapi.json"), http.StatusOK)
	defs := map[string]op.Def{}
	for _, d := range h.Operations.All() {
		defs[d.Name] = d
	}
	all := map[string]route{}
	for path, methods := range doc.Paths {
		for method, o := range methods {
			if _, twice := all[o.ID]; twice {
				t.Errorf("operation %s has two routes", o.ID)
			}
			all[o.ID] = route{Def: defs[o.ID], method: strings.ToUpper(method), path: path}
		}
	}
	return all
}

var guardNames = map[op.Guard]string{
	op.ByPermission: "permission", op.BySession: "session", op.ByNobody: "public", op.ByLandlord: "landlord", op.ByJob: "job",
}

// TestRoutes compares what is served, and under which guard, with the list
// that somebody has looked at: a route never changes by accident.
func TestRoutes(t *testing.T) {
	t.Parallel()
	all := slices.SortedFunc(maps.Values(newHouse(t).routes(t)), func(a, b route) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
	})
	var list bytes.Buffer
	for _, r := range all {
		fmt.Fprintf(&list, "%-6s %-32s %-26s %s\n", r.method, r.path, r.Name, guardNames[r.Guard])
	}
	golden(t, "routes.golden", list.Bytes())
}

// TestEveryRouteHasAnOperation: no route is served without one that is
// declared, and what is public says why.
func TestEveryRouteHasAnOperation(t *testing.T) {
	t.Parallel()
	for name, r := range newHouse(t).routes(t) {
		if r.Name == "" {
			t.Errorf("%s %s: no module declares %q", r.method, r.path, name)
		}
		if r.Guard == op.ByNobody && r.Reason == "" {
			t.Errorf("%s %s is public for no reason", r.method, r.path)
		}
	}
}

// TestWhatIsServedBesideOperations: health, documents and keys, and nothing
// that is meant for the private listener.
func TestWhatIsServedBesideOperations(t *testing.T) {
	t.Parallel()
	c := newHouse(t).bearer("").with("Authorization", "")
	for path, status := range map[string]int{
		"/livez": 200, "/readyz": 200, "/openapi.json": 200, "/docs": 200, "/docs/start.js": 200, "/.well-known/jwks.json": 200,
		"/metrics": 404, "/debug/pprof/": 404, "/debug/vars": 404, "/docs/../livez": 404, "/v1": 404, "/": 404,
	} {
		if w := c.get(t, path); w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
	}
}

// TestDocument: the committed document is that of this binary. (NewServer,
// which every test of this package goes through, seals the real modules.)
func TestDocument(t *testing.T) {
	t.Parallel()
	now, err := wiregen.Document()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.FromSlash("../docs/openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(now, kept) {
		t.Errorf("docs/openapi.yaml is stale; make it anew with: make generate (or: go run ./cmd/insula openapi >docs/openapi.yaml)")
	}
}

// someID is an id that nothing has.
func someID() string { return uuid.Must(uuid.NewV7()).String() }
