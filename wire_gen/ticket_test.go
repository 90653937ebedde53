package wiregen_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	auditapi "github.com/insulahq/insula/modules/audit/api"
	usersapi "github.com/insulahq/insula/modules/users/api"
)

// ticket gets one as somebody.
func (n *tenant) ticket(t *testing.T, p person) string {
	t.Helper()
	made := decode[auditapi.AuditTicket](t, n.who(p).post(t, "/v1/audit/stream-tickets", ""), http.StatusOK)
	n.secrets.add(made.Ticket)
	return made.Ticket
}

// streamBy is the address of the stream for the holder of a ticket.
func streamBy(ticket string) string {
	return "/v1/audit/stream?operation=users.create&ticket=" + url.QueryEscape(ticket)
}

// TestATicketOpensTheStreamOnce: as the EventSource of a browser does, which
// sends no token; it goes on behind the last event with another ticket.
func TestATicketOpensTheStreamOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	server := httptest.NewServer(h.server)
	t.Cleanup(server.Close)
	auditor := n.user(t, "auditor")
	ticket := n.ticket(t, auditor)
	answer, stop := openStream(t, server.URL+streamBy(ticket), nil)
	w := watching(t, answer, stop)
	w.ready(t)
	n.invite(t, "first@example.com")
	w.until(t, "first@example.com")
	refused(t, n.stranger().with("Accept", "text/event-stream").get(t, streamBy(ticket)), http.StatusUnauthorized, "unauthenticated")
	w.close()
	n.invite(t, "second@example.com")
	answer, stop = openStream(t, server.URL+streamBy(n.ticket(t, auditor))+"&last_event_id="+url.QueryEscape(w.last), nil)
	if _, data := watching(t, answer, stop).next(t); !strings.Contains(data, "second@example.com") {
		t.Errorf("the stream goes on with %s", data)
	}
	watched := n.events(t, "operation=audit.stream&actor="+auditor.id.String())
	if got := n.events(t, "operation=audit.stream.ticket"); len(got) != 2 || len(watched) != 2 || watched[0].SessionID == nil ||
		got[0].SessionID == nil || *watched[0].SessionID != *got[0].SessionID {
		t.Errorf("recorded as %+v and %+v", got, watched)
	}
	n.keepsNoSecrets(t)
}

// TestOfManyWhoUseATicketOneIsLetIn, on two processes.
func TestOfManyWhoUseATicketOneIsLetIn(t *testing.T) {
	t.Parallel()
	one, two := nodes(t, nil)
	n := one.tenant(t)
	ticket := n.ticket(t, n.owner)
	var let atomic.Int32
	var group sync.WaitGroup
	for i := range 10 {
		h := []*house{one, two}[i%2]
		server := httptest.NewServer(h.server)
		t.Cleanup(server.Close)
		group.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+streamBy(ticket), http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Accept", "text/event-stream")
			answer, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			switch answer.StatusCode {
			case http.StatusOK:
				let.Add(1)
			case http.StatusUnauthorized:
			default:
				t.Errorf("answered %s", answer.Status)
			}
		})
	}
	group.Wait()
	if let.Load() != 1 {
		t.Errorf("%d were let in", let.Load())
	}
}

// TestATicketOpensNothingElse: no other route, no other tenant, not as a
// token, not too late, and no more than its owner may do when it is used.
func TestATicketOpensNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, other := h.tenant(t), h.tenant(t)
	stream := func(n *tenant) *client { return n.stranger().with("Accept", "text/event-stream") }
	for name, tc := range map[string]struct {
		do     func(t *testing.T, p person, ticket string) *response
		status int
		code   string
	}{
		"another route": {func(t *testing.T, _ person, ticket string) *response {
			return n.stranger().get(t, "/v1/audit/events?ticket="+url.QueryEscape(ticket))
		}, http.StatusUnauthorized, "unauthenticated"},
		"as a token": {func(t *testing.T, _ person, ticket string) *response {
			return stream(n).with("Authorization", "Bearer "+ticket).get(t, "/v1/audit/stream")
		}, http.StatusUnauthorized, "unauthenticated"},
		"another tenant": {func(t *testing.T, _ person, ticket string) *response {
			return stream(other).with("X-Tenant", other.slug).get(t, streamBy(ticket))
		}, http.StatusForbidden, "tenant_mismatch"},
		"an access token": {func(t *testing.T, p person, _ string) *response {
			return stream(n).get(t, streamBy(p.token))
		}, http.StatusUnauthorized, "unauthenticated"},
		"a made up ticket": {func(t *testing.T, _ person, ticket string) *response {
			return stream(n).get(t, streamBy(ticket[:len(ticket)-4]+"AAAA"))
		}, http.StatusUnauthorized, "unauthenticated"},
		"after its session": {func(t *testing.T, p person, ticket string) *response {
			mustDo(t, n.who(p).post(t, "/v1/auth/logout", ""))
			return stream(n).get(t, streamBy(ticket))
		}, http.StatusUnauthorized, "unauthenticated"},
		"after its permission": {func(t *testing.T, p person, ticket string) *response {
			mustDo(t, n.as().with("If-Match", "*").call(t, "PUT", userPath(p)+"/roles", `{"roles":["member"]}`))
			return stream(n).get(t, streamBy(ticket))
		}, http.StatusForbidden, "forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			p := n.user(t, "auditor")
			refused(t, tc.do(t, p, n.ticket(t, p)), tc.status, tc.code)
		})
	}
	late := n.ticket(t, n.owner)
	h.clock.Set(h.clock.Now().Add(30 * time.Second))
	refused(t, stream(n).get(t, streamBy(late)), http.StatusUnauthorized, "unauthenticated")
	body := fmt.Sprintf(`{"name":"k","operations":["audit.stream.ticket"],"expires_at":%q}`, noon.Add(time.Hour).Format(time.RFC3339))
	key := decode[usersapi.CreatedAPIKey](t, n.as().post(t, "/v1/api-keys", body), http.StatusCreated).Key
	refused(t, n.stranger().with("Authorization", "Bearer "+key).post(t, "/v1/audit/stream-tickets", ""), http.StatusForbidden, "users.ticket_by_key")
}
