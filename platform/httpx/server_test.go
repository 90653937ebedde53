package httpx_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/redisx"
)

func TestGoodRequests(t *testing.T) {
	h := newHouse(t)
	w := h.call("POST", "/v1/things", `{"name":"a","size":1}`)
	if w.Code != 201 || w.Header().Get("ETag") != `"v1"` || w.Header().Get("Location") != "/v1/things/1" || h.stored != 1 {
		t.Fatalf("create: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if got := strings.TrimSpace(w.Body.String()); got != `{"name":"a","size":1}` {
		t.Errorf("body %s: no schema link, no nulls", got)
	}
	for _, tag := range []string{`"v3"`, "*"} {
		if w := h.call("PATCH", thingID, `{"name":"a","size":1}`, "If-Match", tag); w.Code != 200 || w.Header().Get("ETag") != `"v4"` {
			t.Errorf("change with %s: %d %s", tag, w.Code, w.Body)
		}
	}
	for _, tag := range []string{`"v4"`, `W/"v4"`, `"v1", "v4"`, "*"} {
		w := h.call("PATCH", thingID, `{"name":"a","size":1}`, "If-Match", "*", "If-None-Match", tag)
		if w.Code != 304 || w.Body.Len() != 0 || w.Header().Get("ETag") != `"v4"` {
			t.Errorf("If-None-Match %s: %d %q %v", tag, w.Code, w.Body, w.Header())
		}
	}
	if w := h.call("POST", "/v1/hello", "", "Authorization", "", "X-Tenant", "acme"); w.Code != 204 || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("public: %d %v", w.Code, w.Header())
	}
	if w := h.call("POST", "/v1/hello", "", "Authorization", "", "Host", "acme.example.com"); w.Code != 204 {
		t.Errorf("by host: %d %s", w.Code, w.Body)
	}
}

func TestHeadersOnEveryAnswer(t *testing.T) {
	h := newHouse(t)
	for _, path := range []string{"/v1/things", "/livez", "/nothing"} {
		w := h.call("GET", path, "")
		for _, name := range []string{"X-Request-Id", "X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy", "X-Frame-Options"} {
			if w.Header().Get(name) == "" {
				t.Errorf("%s without %s", path, name)
			}
		}
	}
	if a, b := h.call("GET", "/livez", "").Header().Get("X-Request-Id"), h.call("GET", "/livez", "").Header().Get("X-Request-Id"); a == b {
		t.Error("two requests with one id")
	}
	w := h.call("GET", "/v1/things", "", "X-Request-Id", "forged")
	if w.Header().Get("X-Request-Id") == "forged" {
		t.Error("a client chose the request id")
	}
}

func TestLimits(t *testing.T) {
	few := redisx.Limit{Rate: 2, Burst: 2, Period: time.Hour}
	h := newHouse(t, func(o *httpx.Options) { o.Limits.User, o.Limits.Network = few, few })
	for i := range 3 {
		w := h.call("GET", "/v1/things", "")
		limited := i == 2
		if (w.Code == 429) != limited {
			t.Fatalf("request %d: %d", i, w.Code)
		}
		if got := w.Header().Get("RateLimit-Policy"); got != `"tenant";q=1000;w=60, "user";q=2;w=3600` {
			t.Errorf("request %d: policy %s", i, got)
		}
		// A request that is refused is taken from nobody.
		want := fmt.Sprintf(`"tenant";r=%d;t=1, "user";r=%d;t=`, 999-min(i, 1), max(1-i, 0))
		if got := w.Header().Get("RateLimit"); !strings.HasPrefix(got, want) || (w.Header().Get("Retry-After") != "") != limited {
			t.Errorf("request %d: %s, want %s…", i, got, want)
		}
	}
	for i := range 3 { // strangers count by network, whatever tenant they name
		w := h.call("POST", "/v1/hello", "", "Authorization", "", "X-Tenant", "acme", "X-Forwarded-For", "203.0.113."+string(rune('1'+i)))
		if (w.Code == 429) != (i == 2) {
			t.Fatalf("public request %d: %d, a forwarded address was believed or the limit does not hold", i, w.Code)
		}
	}
}

func TestRefusalsOnRecordCountToo(t *testing.T) {
	few := redisx.Limit{Rate: 2, Burst: 2, Period: time.Hour}
	h := newHouse(t, func(o *httpx.Options) { o.Limits.User = few })
	for i := range 4 {
		want := 403
		if i >= 2 {
			want = 429
		}
		if w := h.call("GET", "/v1/things", "", "X-Tenant", "globex"); w.Code != want {
			t.Errorf("request %d: %d, want %d", i, w.Code, want)
		}
	}
	if n := len(h.records.Entries()); n != 2 {
		t.Errorf("%d records of 2 refusals", n)
	}
}

func TestForwardedAddressesOfTrustedProxies(t *testing.T) {
	_, proxies, _ := net.ParseCIDR("192.0.2.0/24") // where httptest requests come from
	few := redisx.Limit{Rate: 1, Burst: 1, Period: time.Hour}
	h := newHouse(t, func(o *httpx.Options) { o.TrustedProxies, o.Limits.Network = []*net.IPNet{proxies}, few })
	for _, from := range []string{"203.0.113.1", "203.0.113.2"} {
		if w := h.call("POST", "/v1/hello", "", "Authorization", "", "X-Tenant", "acme", "X-Forwarded-For", from); w.Code != 204 {
			t.Errorf("from %s: %d", from, w.Code)
		}
	}
}

func TestSchemeIsBelievedFromTrustedProxiesOnly(t *testing.T) {
	_, proxies, _ := net.ParseCIDR("192.0.2.0/24") // where httptest requests come from
	for name, h := range map[string]*house{
		"a stranger":      newHouse(t),
		"a trusted proxy": newHouse(t, func(o *httpx.Options) { o.TrustedProxies = []*net.IPNet{proxies} }),
	} {
		w := h.call("GET", "/livez", "", "X-Forwarded-Proto", "https")
		if secure := w.Header().Get("Strict-Transport-Security") != ""; secure != (name == "a trusted proxy") {
			t.Errorf("%s: %v", name, w.Header())
		}
	}
}

func TestHealth(t *testing.T) {
	h := newHouse(t)
	if w := h.call("GET", "/readyz", ""); w.Code != 200 {
		t.Errorf("ready: %d", w.Code)
	}
	h.ready = errors.New("database: connection refused to 10.0.0.1")
	w := h.call("GET", "/readyz", "")
	if w.Code != 503 || strings.Contains(w.Body.String(), "10.0.0.1") {
		t.Errorf("not ready: %d %s", w.Code, w.Body)
	}
	if w := h.call("GET", "/livez", ""); w.Code != 200 {
		t.Errorf("alive but not ready: %d", w.Code)
	}
}

func TestDocsPageNeedsNothingFromElsewhere(t *testing.T) {
	h := newHouse(t)
	w := h.call("GET", "/docs", "")
	if w.Code != 200 || strings.Contains(w.Body.String(), "//") || strings.Contains(w.Header().Get("Content-Security-Policy"), "unsafe") {
		t.Errorf("docs: %d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, asset := range []string{"swagger-ui.css", "swagger-ui-bundle.js", "start.js"} {
		if w := h.call("GET", "/docs/"+asset, ""); w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s: %d", asset, w.Code)
		}
	}
	if w := h.call("GET", "/docs/../own.go", ""); w.Code != 404 {
		t.Errorf("another file: %d", w.Code)
	}
}

func TestDocument(t *testing.T) {
	h := newHouse(t)
	w := h.call("GET", "/openapi.json", "")
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string                `json:"operationId"`
			Security    []map[string][]string `json:"security"`
			Responses   map[string]any        `json:"responses"`
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	create := doc.Paths["/v1/things"]["post"]
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || create.OperationID != "things.create" ||
		len(create.Security) != 1 || create.Security[0]["bearer"][0] != "things.create" {
		t.Errorf("document: %+v", create)
	}
	if strings.Contains(w.Body.String(), `"null"`) || strings.Contains(w.Body.String(), "$schema") {
		t.Error("arrays are nullable or bodies carry $schema")
	}
}

func TestSeal(t *testing.T) {
	nothing := func(context.Context, *struct{}) (*struct{}, error) { return nil, nil }
	extra := op.Read("things.extra", "More.")
	for _, tc := range []struct {
		name  string
		plant func(h *house) []op.Def
		want  string
	}{
		{"complete", func(*house) []op.Def { return declared }, ""},
		{"a job needs no route", func(*house) []op.Def { return append(declared, op.Job("things.sweep", "Sweep.")) }, ""},
		{"operation without route", func(*house) []op.Def { return append(declared, extra) }, "things.extra guards no route"},
		{"route of an undeclared operation", func(h *house) []op.Def {
			httpx.Get(h.Router(), extra, "/v1/extra", nothing)
			return declared
		}, "GET /v1/extra has operation things.extra, which no module declares"},
		{"route without operation", func(h *house) []op.Def {
			huma.Get(httpx.APIForTest(h.Server), "/v1/bare", nothing)
			return declared
		}, "GET /v1/bare has no operation"},
		{"route of the zero operation", func(h *house) []op.Def {
			httpx.Get(h.Router(), op.Def{}, "/v1/zero", nothing)
			return declared
		}, "GET /v1/zero has no operation"},
		{"route around the router", func(h *house) []op.Def {
			httpx.EchoForTest(h.Server).GET("/v1/back-door", nil)
			return declared
		}, "GET /v1/back-door was added around the router"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHouse(t)
			err := h.Seal(tc.plant(h))
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestARouteWithoutOperationIsDenied(t *testing.T) {
	h := newHouse(t)
	huma.Get(httpx.APIForTest(h.Server), "/v1/bare", func(context.Context, *struct{}) (*struct{}, error) {
		t.Error("the handler ran")
		return nil, nil
	})
	if w := h.call("GET", "/v1/bare", ""); w.Code != 403 {
		t.Errorf("got %d", w.Code)
	}
}

// Between the wish to stop and the end of listening new requests are still
// answered, while /readyz sends the balancer away.
func TestNoticeBeforeStopping(t *testing.T) {
	h := newHouse(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	begun, ended := make(chan struct{}), make(chan error, 1)
	s := httpx.Stopping{Notice: 500 * time.Millisecond, Drain: time.Minute, Begin: func() { h.Leave(); close(begun) }}
	go func() { ended <- httpx.Run(ctx, h, l, s, httpx.LogForTest(h.Server)) }()
	stop()
	<-begun
	for path, want := range map[string]int{"/readyz": 503, "/livez": 200, "/v1/nothing": 404} {
		res, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		res.Body.Close()
		if res.StatusCode != want || !res.Close {
			t.Errorf("%s: %d, connection kept: %v", path, res.StatusCode, !res.Close)
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestDrain(t *testing.T) {
	entered, finish := make(chan struct{}), make(chan struct{})
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-finish
		w.WriteHeader(http.StatusNoContent)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	h := newHouse(t)
	go func() {
		ended <- httpx.Run(ctx, slow, l, httpx.Stopping{Drain: time.Minute}, httpx.LogForTest(h.Server))
	}()
	status := make(chan int, 1)
	go func() {
		res, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			status <- 0
			return
		}
		res.Body.Close()
		status <- res.StatusCode
	}()
	<-entered
	stop()
	select {
	case err := <-ended:
		t.Fatalf("ended with a request running: %v", err)
	default:
	}
	close(finish)
	if got := <-status; got != http.StatusNoContent {
		t.Errorf("the running request got %d", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("drain: %v", err)
	}
}
