package wiregen_test

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/insulahq/insula/platform/config"
)

// spans is a collector that keeps what it is sent.
type spans struct {
	mu    sync.Mutex
	names map[string][]string // trace id in hex -> names
	all   strings.Builder
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var sent collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &sent); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all.WriteString(sent.String())
	for _, resource := range sent.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				id := hex.EncodeToString(span.TraceId)
				s.names[id] = append(s.names[id], span.Name)
			}
		}
	}
}

// TestTraces follows a request that a caller traces: its span is named for
// the operation, the queries have theirs, the log leads to it, and none of
// them tells a token or a person.
func TestTraces(t *testing.T) {
	t.Parallel()
	kept := &spans{names: map[string][]string{}}
	server := httptest.NewServer(kept)
	defer server.Close()
	h := newHouse(t, func(c *config.Config) {
		c.Trace = config.Trace{Endpoint: server.URL + "/v1/traces"} // per cent zero: only callers decide
	})
	n := h.tenant(t)
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	w := n.as().with("traceparent", "00-"+id+"-00f067aa0ba902b7-01").get(t, "/v1/users")
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	n.as().get(t, "/v1/roles") // nobody traces this one
	if err := h.Traces.ForceFlush(context.Background()); err != nil {
		t.Fatal(err)
	}
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if len(kept.names) != 1 {
		t.Errorf("%d traces, want the one that was asked for", len(kept.names))
	}
	names := strings.Join(kept.names[id], " ")
	for _, want := range []string{"users.list", "ListUsers"} {
		if !strings.Contains(names, want) {
			t.Errorf("spans %s, want %s among them", names, want)
		}
	}
	for what, secret := range map[string]string{"token": n.owner.token, "address": n.owner.email} {
		if strings.Contains(kept.all.String(), secret) {
			t.Errorf("the spans tell a %s", what)
		}
	}
	if !strings.Contains(h.log.String(), id) {
		t.Error("no log line leads to the trace")
	}
}
