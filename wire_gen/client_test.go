package wiregen_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/google/uuid"

	auditapi "github.com/insulahq/insula/modules/audit/api"
	usersapi "github.com/insulahq/insula/modules/users/api"
	"github.com/insulahq/insula/platform/httpx"
)

// check is what helpers need of a test: *testing.T has it, and *rapid.T.
type check interface {
	Helper()
	Context() context.Context
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// client is somebody who sends requests to a house.
type client struct {
	h      *house
	host   string
	addr   string // "ip:port" of the peer
	header http.Header
}

type response = httptest.ResponseRecorder

// stranger names the tenant and proves nothing.
func (n *tenant) stranger() *client {
	return (&client{h: n.h, host: "127.0.0.1:8080", addr: "192.0.2.7:4711", header: http.Header{}}).with("X-Tenant", n.slug)
}

// as is the tenant's owner.
func (n *tenant) as() *client { return n.who(n.owner) }

// who is a user of the tenant, by token alone.
func (n *tenant) who(p person) *client { return n.h.bearer(p.token) }

// bearer presents an access token and says nothing else.
func (h *house) bearer(token string) *client {
	return (&client{h: h, host: "127.0.0.1:8080", addr: "192.0.2.7:4711", header: http.Header{}}).with("Authorization", "Bearer "+token)
}

// with is a client that also sends these headers; an empty value takes one
// away.
func (c *client) with(pairs ...string) *client {
	next := *c
	next.header = c.header.Clone()
	for i := 0; i < len(pairs); i += 2 {
		next.header.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			next.header.Del(pairs[i])
		}
	}
	return &next
}

// at is the client at another host name.
func (c *client) at(host string) *client {
	next := *c
	next.host = host
	return &next
}

// from is the client at another network address.
func (c *client) from(addr string) *client {
	next := *c
	next.addr = addr
	return &next
}

// send is one request and its answer.
func (c *client) send(t check, method, path string, body io.Reader) *response {
	r := httptest.NewRequestWithContext(t.Context(), method, path, body)
	r.Host, r.RemoteAddr, r.Header = c.host, c.addr, c.header.Clone()
	if body != nil && body != http.NoBody && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	c.h.server.ServeHTTP(w, r)
	return w
}

func (c *client) call(t check, method, path, body string) *response {
	if body == "" {
		return c.send(t, method, path, http.NoBody)
	}
	return c.send(t, method, path, strings.NewReader(body))
}

func (c *client) get(t check, path string) *response { return c.call(t, http.MethodGet, path, "") }

func (c *client) post(t check, path, body string) *response {
	return c.call(t, http.MethodPost, path, body)
}

// decode reads an answer that must have one of these statuses.
func decode[T any](t check, w *response, statuses ...int) (out T) {
	t.Helper()
	if !slices.Contains(statuses, w.Code) {
		t.Fatalf("status %d, want one of %v: %s", w.Code, statuses, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return out
}

// refused checks that an answer is a problem with this status and code.
func refused(t check, w *response, status int, code string) {
	t.Helper()
	if w.Code != status || codeOf(w) != code {
		t.Errorf("%d %s, want %d %s: %s", w.Code, codeOf(w), status, code, w.Body)
	}
}

// codeOf is the code of the problem in an answer; "" when it is none.
func codeOf(w *response) string {
	var p httpx.Problem
	if !strings.HasPrefix(w.Header().Get("Content-Type"), "application/problem+json") || json.Unmarshal(w.Body.Bytes(), &p) != nil {
		return ""
	}
	return p.Code
}

// hold takes the tokens of an answer.
func (p *person) hold(t check, n *tenant, w *response) {
	t.Helper()
	tokens := decode[usersapi.Tokens](t, w, http.StatusOK)
	p.token, p.refresh = tokens.AccessToken, tokens.RefreshToken
	n.secrets.add(p.token, p.refresh)
	p.id = decode[usersapi.User](t, n.who(*p).get(t, "/v1/me"), http.StatusOK).ID
}

// invite adds a user who has not accepted yet.
func (n *tenant) invite(t check, email string, roles ...string) usersapi.User {
	t.Helper()
	list, err := json.Marshal(append([]string{}, roles...))
	if err != nil {
		t.Fatal(err)
	}
	w := n.as().post(t, "/v1/users", fmt.Sprintf(`{"email":%q,"name":"Grace Hopper","roles":%s}`, email, list))
	return decode[usersapi.User](t, w, http.StatusCreated)
}

// records are what the trail keeps of the request behind an answer, read as
// the tenant's owner reads it.
func (n *tenant) records(t check, w *response) []auditapi.AuditEvent {
	t.Helper()
	id := w.Header().Get("X-Request-Id")
	if _, err := uuid.Parse(id); err != nil {
		t.Fatalf("an answer without a request id: %v", w.Header())
	}
	return n.events(t, "request_id="+id)
}

// events are the newest in the trail that a query finds.
func (n *tenant) events(t check, query string) []auditapi.AuditEvent {
	t.Helper()
	return decode[httpx.List[auditapi.AuditEvent]](t, n.as().get(t, "/v1/audit/events?limit=200&"+query), http.StatusOK).Items
}
