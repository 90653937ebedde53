package api_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/api"
	"github.com/insulahq/insula/modules/roles/infra"
	"github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// openGate lets everybody in, holding the one permission that the token names.
type openGate struct{ tenant tenancy.Tenant }

func (openGate) Recognize(token string) (scope.Bearer, error) { return scope.Bearer{Token: token}, nil }

func (g openGate) Admit(_ context.Context, b scope.Bearer, _ tenancy.Hints, o authn.Origin) (scope.Request, error) {
	grants := authn.NewGrants([]string{"test"}, map[string]string{b.Token: "test"})
	return scope.Request{Tenant: g.tenant, Caller: authn.Caller{Kind: authn.User, Grants: grants, Origin: o}}, nil
}

func (g openGate) Visit(context.Context, tenancy.Hints, authn.Origin) (scope.Request, error) {
	return scope.Request{Tenant: g.tenant}, nil
}

// serve serves the module over a tenant with the built-in roles.
func serve(t *testing.T) func(permission, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	f := pgtest.Tenant(t)
	f.Write(t, func(tx uow.Tx) error {
		return infra.NewSeeder(clock.At(noon), id.System{}).Seed(t.Context(), tx, f.Tenant, "")
	})
	redis, err := redisx.Open(secret.Value{}, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	runner := func(r scope.Request) *op.Runner {
		return op.NewRunner(r, f.Unit(), service.NewDecider(), &optest.Records{}, clock.At(noon), id.System{}, log)
	}
	plenty := redisx.Limit{Rate: 1000, Burst: 1000, Period: time.Minute}
	server := httpx.NewServer(httpx.Options{
		Gate: openGate{f.Tenant}, Runner: runner, Log: log, IDs: id.System{},
		Limiter: redisx.NewLimiter(redis, "test", clock.System{}, nil),
		Limits:  httpx.Limits{Tenant: func(tenancy.Tenant) redisx.Limit { return plenty }, User: plenty, Network: plenty, Proof: plenty},
		Version: "test", MaxBodyBytes: 1024, RequestTimeout: time.Minute,
	})
	registry := op.NewRegistry(service.Operations, []op.Def{op.Write("tenants.create", "Create a tenant.", op.Landlord)})
	catalogue, err := infra.NewCatalogue(registry, infra.Product{{Name: "shop.close", Summary: "Close the shop.", OwnerToo: true}})
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := infra.NewResolver(catalogue, clock.At(noon))
	if err != nil {
		t.Fatal(err)
	}
	api.New(func(r scope.Request) *service.Roles {
		return service.NewRoles(runner(r), r, infra.NewRepository(catalogue, clock.At(noon)), resolver, nil, nil, registry, clock.At(noon), id.System{})
	}, page.NewCodec(make([]byte, 32))).Register(server.Router())
	if err := server.Seal(service.Operations); err != nil {
		t.Fatal(err)
	}
	return func(permission, path string, headers ...string) *httptest.ResponseRecorder {
		req := httptest.NewRequest("GET", path, nil)
		req.Header.Set("Authorization", "Bearer "+permission)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, req)
		return w
	}
}

type answer struct {
	Items      []api.Role `json:"items"`
	NextCursor string     `json:"next_cursor"`
	Code       string     `json:"code"`
}

func read(t *testing.T, w *httptest.ResponseRecorder) (a answer) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return a
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	w := serve(t)("permissions.list", "/v1/permissions")
	for _, want := range []string{
		`{"name":"roles.get","summary":"Show a role and what it grants.","module":"roles","origin":"operation","guard":"permission","changes":false,"owner_too":false}`,
		`{"name":"roles.create","summary":"Make a role.","module":"roles","origin":"operation","guard":"permission","changes":true,"owner_too":false}`,
		`{"name":"shop.close","summary":"Close the shop.","module":"shop","origin":"product","guard":"permission","changes":false,"owner_too":true}]}`,
	} {
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("got %d %s\nwant %s", w.Code, w.Body, want)
		}
	}
	if strings.Contains(w.Body.String(), "tenants.create") {
		t.Error("shows a landlord's permission")
	}
}

func TestRolesPage(t *testing.T) {
	t.Parallel()
	get := serve(t)
	var names []string
	path := "/v1/roles?limit=3"
	for range 2 {
		w := get("roles.list", path)
		got := read(t, w)
		if w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, r := range got.Items {
			names = append(names, r.Name)
		}
		path = "/v1/roles?limit=3&cursor=" + got.NextCursor
	}
	if got := strings.Join(names, " "); got != "auditor member admin owner" {
		t.Errorf("paged through %s", got)
	}
}

func TestOneRole(t *testing.T) {
	t.Parallel()
	get := serve(t)
	member := read(t, get("roles.list", "/v1/roles")).Items[1]
	path := "/v1/roles/" + member.ID.String()
	want := `{"id":"` + member.ID.String() + `","name":"member","description":"Works with files and sees the other people of the tenant.",` +
		`"built_in":true,"permissions":["permissions.list","roles.get","roles.list"],"parents":[],"grants":["permissions.list","roles.get","roles.list"],"unknown":[],"created_at":"2026-05-04T12:00:00Z","updated_at":"2026-05-04T12:00:00Z"}`
	w := get("roles.get", path)
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != want || !strings.HasPrefix(w.Header().Get("ETag"), `"v1-`) {
		t.Errorf("got %d %s\nwant %s", w.Code, w.Body, want)
	}
	if again := get("roles.get", path, "If-None-Match", w.Header().Get("ETag")); again.Code != 304 {
		t.Errorf("unchanged: %d", again.Code)
	}
	if w := get("roles.get", path, "If-None-Match", `"v1"`); w.Code != 200 {
		t.Errorf("what a role grants follows its parents and the binary, yet the answer is %d", w.Code)
	}
	if w := get("roles.get", "/v1/roles/"+uuid.Max.String()); w.Code != 404 || read(t, w).Code != "roles.not_found" {
		t.Errorf("no role: %d %s", w.Code, w.Body)
	}
}

func TestEachRouteNeedsItsPermission(t *testing.T) {
	t.Parallel()
	get := serve(t)
	for path, permission := range map[string]string{
		"/v1/permissions": "permissions.list", "/v1/roles": "roles.list", "/v1/roles/" + uuid.Max.String(): "roles.get",
	} {
		for _, held := range []string{"permissions.list", "roles.list", "roles.get", "roles"} {
			if w := get(held, path); (w.Code == 403) != (held != permission) {
				t.Errorf("%s with %s: %d", path, held, w.Code)
			}
		}
	}
}
