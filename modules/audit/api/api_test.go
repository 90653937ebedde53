package api_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/api"
	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/optest"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/s3x/s3test"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	bob  = uuid.MustParse("0199d3a0-7c1e-7b54-9c3e-2f6d1a0b4c5d")
)

// openGate lets everybody into the tenant that their token names by its slug.
type openGate map[string]tenancy.Tenant

func (openGate) Recognize(token string) (scope.Bearer, error) { return scope.Bearer{Token: token}, nil }

func (g openGate) Admit(_ context.Context, b scope.Bearer, _ tenancy.Hints, o authn.Origin) (scope.Request, error) {
	return scope.Request{Tenant: g[b.Token], Caller: authn.Caller{Kind: authn.User, Label: "ada@example.com", Origin: o}}, nil
}

func (g openGate) Visit(context.Context, tenancy.Hints, authn.Origin) (scope.Request, error) {
	return scope.Request{}, nil
}

// serve serves the module over two tenants, the first of which has three
// events.
func serve(t *testing.T) func(tenant, path string) *httptest.ResponseRecorder {
	t.Helper()
	a, b := pgtest.Tenant(t), pgtest.Tenant(t)
	units := map[uuid.UUID]pgtest.Fixture{a.Tenant.ID: a, b.Tenant.ID: b}
	redis, err := redisx.Open(secret.Value{}, clock.System{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	runner := func(r scope.Request) *op.Runner { // leaves no records, so that the trail stands still
		return op.NewRunner(r, units[r.Tenant.ID].Unit(), optest.Allow{}, &optest.Records{}, clock.At(noon), id.System{}, log)
	}
	plenty := redisx.Limit{Rate: 1000, Burst: 1000, Period: time.Minute}
	server := httpx.NewServer(httpx.Options{
		Gate: openGate{"a": a.Tenant, "b": b.Tenant}, Runner: runner, Log: log, IDs: id.System{},
		Limiter: redisx.NewLimiter(redis, "test", clock.System{}, nil),
		Limits:  httpx.Limits{Tenant: func(tenancy.Tenant) redisx.Limit { return plenty }, User: plenty, Network: plenty, Proof: plenty},
		Version: "test", MaxBodyBytes: 1024, RequestTimeout: time.Minute,
	})
	api.New(func(r scope.Request) *service.Audit {
		return service.NewAudit(runner(r), infra.NewRepository())
	}, func(r scope.Request) *service.Evidence {
		return service.NewEvidence(runner(r), r, infra.NewRepository(), infra.NewTree(), infra.NewPublished(s3test.NewMemory(t, clock.At(noon))), domain.NewHeadKeys(secret.Key{}))
	}, func(r scope.Request) *service.Viewing {
		return service.NewViewing(runner(r), r, infra.NewTree(), nil, nil)
	}, page.NewCodec(make([]byte, 32))).Register(server.Router())
	if err := server.Seal(service.Operations); err != nil {
		t.Fatal(err)
	}
	record(t, a)
	return func(tenant, path string) *httptest.ResponseRecorder {
		req := httptest.NewRequest("GET", path, nil)
		req.Header.Set("Authorization", "Bearer "+tenant)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, req)
		return w
	}
}

func record(t *testing.T, f pgtest.Fixture) {
	t.Helper()
	f.Write(t, func(tx uow.Tx) error {
		for i, e := range []op.Entry{
			{Operation: "users.create", Outcome: op.Done, Caller: authn.Caller{Kind: authn.User, ID: bob, Label: "bob@example.com"},
				Target: uow.Target{Kind: "user", ID: "7", Label: "=1+1"}, After: map[string]string{"name": "Eve"}},
			{Operation: "users.roles.set", Outcome: op.Failed, Code: "roles.last_owner"},
			{Operation: "files.create", Outcome: op.Denied, Code: "forbidden"},
		} {
			e.ID, e.At = uuid.Must(uuid.NewV7()), noon.Add(time.Duration(i)*time.Hour)
			if err := infra.NewRecorder(infra.NewBell(), nil).Record(t.Context(), tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

type answer struct {
	Items      []map[string]any `json:"items"`
	NextCursor string           `json:"next_cursor"`
	Code       string           `json:"code"`
	Errors     []struct {
		Pointer string `json:"pointer"`
	} `json:"errors"`
}

func read(t *testing.T, w *httptest.ResponseRecorder) (a answer) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return a
}

func TestFilters(t *testing.T) {
	t.Parallel()
	get := serve(t)
	all := []string{"files.create", "users.roles.set", "users.create"}
	for query, want := range map[string][]string{
		"":                           all,
		"operation=users.":           all[1:],
		"operation=users.create":     {"users.create"},
		"operation=users":            {},
		"actor=" + bob.String():      {"users.create"},
		"target_kind=user":           {"users.create"},
		"target_id=7":                {"users.create"},
		"outcome=denied":             {"files.create"},
		"from=2026-05-04T13:00:00Z":  all[:2],
		"to=2026-05-04T13:00:00Z":    all[2:],
		"request_id=r-1":             {},
		"target_id=%00":              {},
		"outcome=done&operation=me.": {},
		"from=2026-05-04T13:00:00%2B02:00&to=2026-05-04T14:30:00%2B02:00": {"users.create"},
	} {
		w := get("a", "/v1/audit/events?"+query)
		got := []string{}
		for _, item := range read(t, w).Items {
			got = append(got, item["operation"].(string))
		}
		if w.Code != 200 || !slices.Equal(got, want) {
			t.Errorf("%s: %d %v, want %v", query, w.Code, got, want)
		}
	}
	if got := read(t, get("b", "/v1/audit/events")); len(got.Items) != 0 {
		t.Errorf("another tenant sees %v", got.Items)
	}
}

func TestWrongQueriesNameTheParameter(t *testing.T) {
	t.Parallel()
	get := serve(t)
	next := url.QueryEscape(read(t, get("a", "/v1/audit/events?limit=1")).NextCursor)
	for _, tc := range []struct{ tenant, query, pointer string }{
		{"a", "actor=bob", "query.actor"},
		{"a", "actor=" + uuid.Nil.String(), "query.actor"},
		{"a", "outcome=lost", "query.outcome"},
		{"a", "operation=DROP", "query.operation"},
		{"a", "from=yesterday", "query.from"},
		{"a", "limit=0", "query.limit"},
		{"a", "target_id=" + strings.Repeat("x", 201), "query.target_id"},
		{"a", "colour=red", "query.colour"},
		{"a", "cursor=forged", "query.cursor"},
		{"a", "outcome=done&cursor=" + next, "query.cursor"}, // of another filter
		{"b", "limit=1&cursor=" + next, "query.cursor"},      // of another tenant
	} {
		w := get(tc.tenant, "/v1/audit/events?"+tc.query)
		got := read(t, w)
		if w.Code != 422 || len(got.Errors) != 1 || got.Errors[0].Pointer != tc.pointer {
			t.Errorf("%s: %d %s", tc.query, w.Code, w.Body)
		}
	}
	if w := get("a", "/v1/audit/events?limit=2&cursor="+next); w.Code != 200 || len(read(t, w).Items) != 2 {
		t.Errorf("the second page: %d %s", w.Code, w.Body)
	}
}

func TestOneEvent(t *testing.T) {
	t.Parallel()
	get := serve(t)
	key := read(t, get("a", "/v1/audit/events?operation=users.create")).Items[0]["id"].(string)
	want := `{"id":"` + key + `","at":"2026-05-04T12:00:00Z","operation":"users.create","outcome":"done","rule":"",` +
		`"actor":{"kind":"user","id":"` + bob.String() + `","label":"bob@example.com"},` +
		`"target":{"kind":"user","id":"7","label":"=1+1"},"after":{"name":"Eve"},"request_id":"","address":"","client":""}`
	w := get("a", "/v1/audit/events/"+key)
	if w.Code != 200 || strings.TrimSpace(w.Body.String()) != want || w.Header().Get("ETag") != `"v1"` {
		t.Errorf("got %d %s\nwant %s", w.Code, w.Body, want)
	}
	if w := get("b", "/v1/audit/events/"+key); w.Code != 404 || read(t, w).Code != "audit.event_not_found" {
		t.Errorf("another tenant's event: %d %s", w.Code, w.Body)
	}
	if w := get("a", "/v1/audit/events/seven"); w.Code != 422 || read(t, w).Errors[0].Pointer != "path.id" {
		t.Errorf("a bad id: %d %s", w.Code, w.Body)
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	get := serve(t)
	w := get("a", "/v1/audit/export?operation=users.")
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	if w.Code != 200 || len(lines) != 2 || w.Header().Get("Content-Type") != "application/x-ndjson" ||
		!strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	w = get("a", "/v1/audit/export?format=csv")
	rows, err := csv.NewReader(w.Body).ReadAll()
	if w.Code != 200 || err != nil || len(rows) != 4 {
		t.Fatalf("%d, %v: %v", w.Code, err, rows)
	}
	for i, want := range map[int]string{9: "bob@example.com", 13: "'=1+1", 12: "7", 15: `{"name": "Eve"}`} {
		if got := rows[1][i]; got != want {
			t.Errorf("column %s has %q, want %q", rows[0][i], got, want)
		}
	}
	if w := get("a", "/v1/audit/export?format=xls"); w.Code != 422 {
		t.Errorf("an unknown format: %d", w.Code)
	}
	if w := get("b", "/v1/audit/export"); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("another tenant's export: %d %s", w.Code, w.Body)
	}
}

// TestCellsAreNoFormulas: whatever people write into names comes into a
// spreadsheet as text.
func TestCellsAreNoFormulas(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0",
		"+1":                 "'+1",
		"-2+3":               "'-2+3",
		"@SUM(A1)":           "'@SUM(A1)",
		"\t=1":               "'\t=1",
		"\r=1":               "'=1", // the writer keeps no lone carriage return
		"\n=1":               "'\n=1",
		"|calc":              "'|calc",
		"%0A":                "'%0A",
		" =1":                "' =1",
		"\u00a0=1":           "'\u00a0=1",
		"＝1":                 "'＝1",
		"＠x":                 "'＠x",
		`a","=1`:             `a","=1`, // a quote ends no cell
		"a\n=1":              "a\n=1",  // nor does a line
		"'=1":                "'=1",
		"Ada-Lovelace":       "Ada-Lovelace",
		"":                   "",
	} {
		var out strings.Builder
		write, end := api.WriteCSV(&out)
		err := errors.Join(write(domain.Event{Actor: domain.Actor{Label: written}, Client: written}, nil), end())
		rows, rerr := csv.NewReader(strings.NewReader(out.String())).ReadAll()
		if err != nil || rerr != nil || len(rows) != 2 || rows[1][9] != want || rows[1][18] != want {
			t.Errorf("%q is written as %q, want %q; %v, %v", written, rows, want, err, rerr)
		}
	}
}
