package wiregen_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/config"
)

// queries is how many this house has sent to its databases.
func (h *house) queries(t *testing.T) (sent uint64) {
	t.Helper()
	families, err := h.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "insula_db_query_duration_seconds" {
			for _, m := range f.GetMetric() {
				sent += m.GetHistogram().GetSampleCount()
			}
		}
	}
	return sent
}

// flood sends requests, while the clock stands still, until some in a row are
// refused.
func (c *client) flood(t *testing.T) {
	t.Helper()
	for refusals, sent := 0, 0; refusals < 3; sent++ {
		if sent > 20 {
			t.Fatal("nothing is refused")
		}
		if c.get(t, "/v1/users").Code == http.StatusTooManyRequests {
			refusals++
		} else {
			refusals = 0
		}
	}
}

// TestARefusalCostsNoQuery: a tenant beyond its rate is turned away before the
// database is asked anything, whoever sends, whatever and however.
func TestARefusalCostsNoQuery(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n, other := h.tenant(t), h.tenant(t)
	key := h.bearer(n.apiKey(t).Key)
	left := n.user(t)
	mustDo(t, n.who(left).post(t, "/v1/auth/logout", ""))
	n.adjust(t, h, `{"tenants.requests_per_second":3}`)
	mustDo(t, n.as().get(t, "/v1/users")) // learns of it
	mustDo(t, key.get(t, "/v1/users"))
	n.as().flood(t)

	before := h.queries(t)
	for name, w := range map[string]*response{
		"read":              n.as().get(t, "/v1/users"),
		"write":             n.as().post(t, "/v1/users", `{}`),
		"key":               key.get(t, "/v1/users"),
		"denied":            n.as().get(t, "/v1/tenants"),
		"in another tenant": n.as().with("X-Tenant", other.slug).get(t, "/v1/users"),
		"session ended":     n.who(left).get(t, "/v1/users"),
	} {
		refused(t, w, http.StatusTooManyRequests, "rate_limited")
		if w.Header().Get("Retry-After") == "" || !strings.HasPrefix(w.Header().Get("RateLimit-Policy"), `"tenant";q=3;w=1, "user";`) {
			t.Errorf("%s: headers %v", name, w.Header())
		}
	}
	if sent := h.queries(t) - before; sent != 0 {
		t.Errorf("refusals cost %d queries", sent)
	}
	if log := h.log.String(); !strings.Contains(log, `"status":429,"code":"rate_limited","operation":"users.list","tenant":"`+n.slug) {
		t.Error("the log does not tell whose requests are refused")
	}
	mustDo(t, other.as().get(t, "/v1/users"))
	if h.queries(t) == before {
		t.Error("a request that is served costs no query: they are not counted")
	}
	h.clock.Advance(1e9)
	refused(t, n.who(left).get(t, "/v1/users"), http.StatusUnauthorized, "unauthenticated")
}

// TestARateHoldsOnEveryNode: a lower one from the next request on, a higher one
// from the first that the lower one lets through.
func TestARateHoldsOnEveryNode(t *testing.T) {
	t.Parallel()
	h, elsewhere := nodes(t, nil)
	n := h.tenant(t)
	there := n.seenBy(elsewhere).as()
	mustDo(t, there.get(t, "/v1/users")) // by the default
	n.adjust(t, h, `{"tenants.requests_per_second":2}`)
	w := there.get(t, "/v1/users")
	mustDo(t, w)
	if got := w.Header().Get("RateLimit"); !strings.HasPrefix(got, `"tenant";r=0;`) && !strings.HasPrefix(got, `"tenant";r=1;`) {
		t.Errorf("first request after the change: RateLimit %q, which is not of 2", got)
	}
	there.flood(t)
	n.adjust(t, h, `{"tenants.requests_per_second":1000}`)
	refused(t, there.get(t, "/v1/users"), http.StatusTooManyRequests, "rate_limited") // not known here
	elsewhere.clock.Advance(5e8)
	for range 50 {
		mustDo(t, there.get(t, "/v1/users"))
	}
}

// madeUp is a key that nobody was given.
func (n *tenant) madeUp(i byte) string {
	raw := append(n.id[:], make([]byte, 32)...)
	raw[len(raw)-1] = i
	return users.KeyPrefix + base64.RawURLEncoding.EncodeToString(raw)
}

// TestWhatIsMadeUpIsLookedForSeldom: keys and tickets that nobody was given cost
// no query once their network has presented as many as it may, and others can
// go on.
func TestWhatIsMadeUpIsLookedForSeldom(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(c *config.Config) { c.Limits.RateUser = 3 })
	n := h.tenant(t)
	h.clock.Advance(1e9)
	for i := range byte(3) {
		refused(t, h.bearer(n.madeUp(i)).get(t, "/v1/users"), http.StatusUnauthorized, "unauthenticated")
	}
	none := h.queries(t)
	ticket := n.ticket(t, n.owner)
	before := h.queries(t)
	if before == none {
		t.Error("getting a ticket costs no query: they are not counted")
	}
	nobody := h.bearer("").with("Authorization", "")
	for i := range byte(5) {
		refused(t, h.bearer(n.madeUp(100+i)).get(t, "/v1/users"), http.StatusTooManyRequests, "rate_limited")
		refused(t, nobody.get(t, streamBy(ticket)), http.StatusTooManyRequests, "rate_limited")
	}
	if sent := h.queries(t) - before; sent != 0 {
		t.Errorf("what is made up costs %d queries", sent)
	}
	refused(t, h.bearer(n.madeUp(9)).from("203.0.113.9:4711").get(t, "/v1/users"), http.StatusUnauthorized, "unauthenticated")
	mustDo(t, n.as().get(t, "/v1/users"))
}

// TestMadeUpKeysUseUpNothing: anybody can write a key that names a tenant.
func TestMadeUpKeysUseUpNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	n.adjust(t, h, `{"tenants.requests_per_second":5}`)
	mustDo(t, n.as().get(t, "/v1/users"))
	h.clock.Advance(1e9)
	for i := range byte(20) {
		w := h.bearer(n.madeUp(i)).get(t, "/v1/users")
		refused(t, w, http.StatusUnauthorized, "unauthenticated")
		if strings.Contains(w.Header().Get("RateLimit"), "tenant") {
			t.Errorf("a stranger is told how the tenant's limit stands: %v", w.Header())
		}
	}
	w := n.as().get(t, "/v1/users")
	mustDo(t, w)
	if got := w.Header().Get("RateLimit"); !strings.HasPrefix(got, `"tenant";r=4;`) {
		t.Errorf("RateLimit %q after made-up keys, want 4 left", got)
	}
}

// TestAKeyThatHasEndedIsForgotten: from then on it counts for nobody.
func TestAKeyThatHasEndedIsForgotten(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := h.tenant(t)
	made := n.apiKey(t)
	key := h.bearer(made.Key)
	mustDo(t, key.get(t, "/v1/users"))
	mustDo(t, n.as().with("If-Match", "*").call(t, "DELETE", "/v1/api-keys/"+made.ID.String(), ""))
	for i := range 2 { // the first finds out
		w := key.get(t, "/v1/users")
		refused(t, w, http.StatusUnauthorized, "unauthenticated")
		if counted := strings.Contains(w.Header().Get("RateLimit"), "tenant"); counted != (i == 0) {
			t.Errorf("request %d after the end: counted is %v", i, counted)
		}
	}
}
