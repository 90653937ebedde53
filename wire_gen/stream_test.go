package wiregen_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// watcher reads a stream of server-sent events.
type watcher struct {
	lines *bufio.Scanner
	close func()
	last  string // id of the last event
}

// watch begins to watch the trail of a tenant over a real connection.
func (n *tenant) watch(t *testing.T, url, last string) *watcher {
	t.Helper()
	header := map[string]string{"Authorization": "Bearer " + n.owner.token}
	if last != "" {
		header["Last-Event-ID"] = last
	}
	answer, stop := openStream(t, url+"/v1/audit/stream?operation=users.create", header)
	w := watching(t, answer, stop)
	w.last = last
	return w
}

// openStream asks for a stream over a real connection. Stop ends it.
func openStream(t *testing.T, url string, header map[string]string) (answer *http.Response, stop func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	for name, value := range header {
		req.Header.Set(name, value)
	}
	answer, err = http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	stop = func() { cancel(); answer.Body.Close() }
	t.Cleanup(stop)
	return answer, stop
}

// watching reads the beginning of a stream.
func watching(t *testing.T, answer *http.Response, stop func()) *watcher {
	t.Helper()
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s %v", answer.Status, answer.Header)
	}
	w := &watcher{lines: bufio.NewScanner(answer.Body), close: stop}
	if name, _ := w.next(t); name != "hello" {
		t.Fatalf("the first event is %q", name)
	}
	return w
}

// next waits for the next event; comments are passed over.
func (w *watcher) next(t *testing.T) (name, data string) {
	t.Helper()
	for w.lines.Scan() {
		field, value, _ := strings.Cut(w.lines.Text(), ": ")
		switch field {
		case "id":
			w.last = value
		case "event":
			name = value
		case "data":
			return name, value
		}
	}
	t.Fatalf("the stream ended: %v", w.lines.Err())
	return "", ""
}

// until reads events until one has a text in it. Those before may be of just
// before, when they could still be overtaken.
func (w *watcher) until(t *testing.T, text string) {
	t.Helper()
	for {
		if _, data := w.next(t); strings.Contains(data, text) {
			return
		}
	}
}

// ready waits for the comment that follows once a viewer stands in the room.
func (w *watcher) ready(t *testing.T) {
	t.Helper()
	for w.lines.Scan() {
		if strings.HasPrefix(w.lines.Text(), ":") {
			return
		}
	}
	t.Fatalf("the stream ended: %v", w.lines.Err())
}

func TestTheTrailCanBeWatched(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, other := h.tenant(t), h.tenant(t)
	server := httptest.NewServer(h.server)
	t.Cleanup(server.Close)
	node := newHouse(t) // another process on the same database
	viewers := []*watcher{n.watch(t, server.URL, ""), n.watch(t, server.URL, "")}
	for _, w := range viewers {
		w.ready(t)
	}
	other.invite(t, "stranger@example.com")
	n.invite(t, "first@example.com")
	there := *n
	there.h = node
	there.invite(t, "second@example.com")
	for _, w := range viewers {
		for _, who := range []string{"first@example.com", "second@example.com"} {
			if name, data := w.next(t); name != "record" || !strings.Contains(data, who) || strings.Contains(data, "stranger") {
				t.Fatalf("got %s %s, want %s", name, data, who)
			}
		}
	}
	viewers[0].close()
	n.invite(t, "third@example.com")
	again := n.watch(t, server.URL, viewers[0].last)
	if _, data := again.next(t); !strings.Contains(data, "third@example.com") {
		t.Errorf("after coming again: %s", data)
	}
	if again.last == viewers[0].last {
		t.Error("an event without an id of its own")
	}
	w := n.as().with("Accept", "text/event-stream", "Last-Event-ID", "seven").get(t, "/v1/audit/stream")
	refused(t, w, http.StatusUnprocessableEntity, "audit.last_event_id")
	refused(t, n.as().get(t, "/v1/audit/stream"), http.StatusNotAcceptable, "not_acceptable")
}

// TestASuspendedTenantIsNotWatched: who watches its trail is sent away, on every
// node, and let in no more.
func TestASuspendedTenantIsNotWatched(t *testing.T) {
	t.Parallel()
	one, two := nodes(t, nil)
	n := one.tenant(t)
	var viewers []*watcher
	for _, h := range []*house{one, two} {
		server := httptest.NewServer(h.server)
		t.Cleanup(server.Close)
		w := n.watch(t, server.URL, "")
		w.ready(t)
		viewers = append(viewers, w)
	}
	mustDo(t, one.operator(t).as().post(t, "/v1/tenants/"+n.id.String()+"/suspend", ""))
	for _, w := range viewers {
		for w.lines.Scan() { // until it ends
		}
		if err := w.lines.Err(); err != nil {
			t.Errorf("the stream broke: %v", err)
		}
	}
	again := n.as().with("Accept", "text/event-stream").get(t, "/v1/audit/stream")
	refused(t, again, http.StatusForbidden, "tenant_suspended")
}
