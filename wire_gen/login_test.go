package wiregen_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	auditapi "github.com/insulahq/insula/modules/audit/api"
	usersapi "github.com/insulahq/insula/modules/users/api"
	usersdomain "github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/secret"
)

// counting counts the comparisons of a hasher, which are what takes the time
// of a login.
type counting struct {
	usersdomain.Hasher
	compared atomic.Int64
}

func (c *counting) Reserve(ctx context.Context, tenant uuid.UUID) (usersdomain.HashSlot, error) {
	slot, err := c.Hasher.Reserve(ctx, tenant)
	return countingSlot{slot, c}, err
}

type countingSlot struct {
	usersdomain.HashSlot
	of *counting
}

func (s countingSlot) Matches(stored, password secret.Value) bool {
	s.of.compared.Add(1)
	return s.HashSlot.Matches(stored, password)
}

// TestLoginTellsNothing: whoever cannot sign in gets the same answer after the
// same work, whether there is such a user or not.
func TestLoginTellsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	gone := n.user(t)
	mustDo(t, n.as().post(t, userPath(gone)+"/suspend", ""))
	n.invite(t, "invited@example.com")
	hasher := &counting{Hasher: h.Access.Hasher}
	h.Access.Hasher = hasher

	var first string
	for _, tc := range []struct{ name, email, password string }{
		{"wrong password", n.owner.email, "not the owner's password"},
		{"no password", n.owner.email, ""},
		{"unknown user", "nobody@example.com", n.owner.password},
		{"no address", "nobody", n.owner.password},
		{"suspended user", gone.email, gone.password},
		{"suspended user, wrong password", gone.email, "wrong"},
		{"invited user", "invited@example.com", "correct horse battery"},
		{"password of 1000 characters", n.owner.email, fmt.Sprintf("%01000d", 1)},
	} {
		before := hasher.compared.Load()
		w := n.login(t, tc.email, tc.password)
		refused(t, w, http.StatusUnauthorized, "users.credentials")
		if done := hasher.compared.Load() - before; done != 1 {
			t.Errorf("%s: %d hashes computed", tc.name, done)
		}
		answer := anonymised(t, w)
		if first == "" {
			first = answer
		}
		if answer != first {
			t.Errorf("%s is answered with\n%s\nthe first was\n%s", tc.name, answer, first)
		}
	}
	before := hasher.compared.Load()
	mustDo(t, n.login(t, n.owner.email, n.owner.password))
	if done := hasher.compared.Load() - before; done != 1 {
		t.Errorf("a login that works: %d hashes computed", done)
	}
}

// anonymised is an answer with status, headers and body, without what differs
// from request to request.
func anonymised(t *testing.T, w *response) string {
	t.Helper()
	header := w.Header().Clone()
	for _, name := range []string{"X-Request-Id", "RateLimit", "Ratelimit"} {
		header.Del(name)
	}
	p := decode[httpx.Problem](t, w, w.Code)
	p.Instance = ""
	body, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(w.Code, header, string(body))
}

// addressOf is where a login came from, as the session and the trail keep it.
func (n *tenant) addressOf(t *testing.T, c *client) string {
	t.Helper()
	w := c.post(t, "/v1/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, n.owner.email, n.owner.password))
	token := decode[usersapi.Tokens](t, w, http.StatusOK).AccessToken
	sessions := decode[httpx.List[usersapi.UserSession]](t, n.h.bearer(token).get(t, "/v1/me/sessions"), http.StatusOK)
	records := n.records(t, w)
	if len(records) != 1 || records[0].Address != sessions.Items[0].Address {
		t.Errorf("the trail has %+v, the session %q", records, sessions.Items[0].Address)
	}
	return sessions.Items[0].Address
}

// forwarded are the headers by which proxies tell about clients, as somebody
// would set them who wants to be somebody else.
var forwarded = []string{
	"X-Forwarded-For", "6.6.6.6", "X-Real-Ip", "6.6.6.6", "Forwarded", "for=6.6.6.6", "X-Forwarded-Host", "other." + baseDomain,
	"True-Client-Ip", "6.6.6.6", "Cf-Connecting-Ip", "6.6.6.6",
}

// TestStrangersAreNotBelieved: a client's address is that of the connection,
// unless a configured proxy tells another; then it is the nearest that is no
// proxy, not the first that is named.
func TestStrangersAreNotBelieved(t *testing.T) {
	t.Parallel()
	direct := newHouse(t)
	n := direct.tenant(t)
	for name, from := range map[string]string{"public": "203.0.113.9:1", "loopback": "127.0.0.1:1", "private": "10.0.0.5:1", "link-local": "169.254.1.1:1"} {
		want := netip.MustParseAddrPort(from).Addr().String()
		if got := n.addressOf(t, n.stranger().from(from).with(forwarded...)); got != want {
			t.Errorf("%s peer, no proxies configured: %s, want %s", name, got, want)
		}
	}
	behind := *n
	behind.h = newHouse(t, func(c *config.Config) {
		c.HTTP.TrustedProxies = config.Networks{netip.MustParsePrefix("10.0.0.0/8")}
	})
	for _, tc := range []struct{ peer, header, want string }{
		{"10.0.0.5:1", "203.0.113.9", "203.0.113.9"},
		{"10.0.0.5:1", "6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"},
		{"10.0.0.5:1", "10.1.1.1, 203.0.113.9", "203.0.113.9"},
		{"10.0.0.5:1", "2001:db8::7", "2001:db8::7"},
		{"10.0.0.5:1", "", "10.0.0.5"},
		{"203.0.113.9:1", "6.6.6.6", "203.0.113.9"},
		{"192.168.1.1:1", "6.6.6.6", "192.168.1.1"},
		{"127.0.0.1:1", "6.6.6.6", "127.0.0.1"},
	} {
		if got := behind.addressOf(t, behind.stranger().from(tc.peer).with("X-Forwarded-For", tc.header)); got != tc.want {
			t.Errorf("peer %s telling %q: %s, want %s", tc.peer, tc.header, got, tc.want)
		}
	}
}

// TestLoginIsLimitedByNetwork: nobody tries passwords without end, whatever
// address they claim to come from; others can still sign in.
func TestLoginIsLimitedByNetwork(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	limited := *n
	limited.h = newHouse(t, func(c *config.Config) { c.Limits.RateLogin = 3 })
	tries := 0
	try := func(from, claimed string) *response {
		tries++ // each for another account, which would get too slow by itself
		body := fmt.Sprintf(`{"email":"somebody%d@example.com","password":"wrong"}`, tries)
		return limited.stranger().from(from).with("X-Forwarded-For", claimed).post(t, "/v1/auth/login", body)
	}
	for i := range 3 {
		refused(t, try("203.0.113.9:1", fmt.Sprintf("6.6.6.%d", i)), http.StatusUnauthorized, "users.credentials")
	}
	w := try("203.0.113.9:2", "6.6.6.9")
	refused(t, w, http.StatusTooManyRequests, "rate_limited")
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	refused(t, try("203.0.113.10:1", ""), http.StatusUnauthorized, "users.credentials")
	for _, from := range []string{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1"} {
		refused(t, try(from, ""), http.StatusUnauthorized, "users.credentials")
	}
	refused(t, try("[2001:db8::4]:1", ""), http.StatusTooManyRequests, "rate_limited") // one customer has a whole /64
}

// TestEveryLoginIsRecorded: those that fail too, with whom they were about.
func TestEveryLoginIsRecorded(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	for _, tc := range []struct {
		email, password, outcome, code string
		known                          bool
	}{
		{n.owner.email, n.owner.password, "done", "", true},
		{n.owner.email, "wrong", "failed", "users.credentials", true},
		{"nobody@example.com", "wrong", "failed", "users.credentials", false},
	} {
		records := n.records(t, n.login(t, tc.email, tc.password))
		if len(records) != 1 || records[0].Outcome != tc.outcome || records[0].Code != tc.code || (targetOf(records[0]) == n.owner.id.String()) != tc.known {
			t.Errorf("%s: %+v", tc.email, records)
		}
	}
}

// targetOf is the id of what an event is about; "" for nothing in particular.
func targetOf(e auditapi.AuditEvent) string {
	if e.Target == nil {
		return ""
	}
	return e.Target.ID
}
