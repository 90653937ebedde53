package wiregen_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	usersapi "github.com/insulahq/insula/modules/users/api"
)

// said is what a request says about its tenant without proof.
type said struct{ header, host string }

// names is the slug that a request names: "" for none, "?" when header and
// host disagree. It is the rule, told once more.
func (s said) names() string {
	host := ""
	if label, ok := strings.CutSuffix(strings.ToLower(strings.TrimSuffix(s.host, ":8443")), "."+baseDomain); ok && !strings.Contains(label, ".") {
		host = label
	}
	switch {
	case s.header == "" || s.header == host:
		return host
	case host == "":
		return s.header
	}
	return "?"
}

// hints draws what a request may say, with these slugs in it.
func hints(slugs ...string) *rapid.Generator[said] {
	headers := append([]string{"", "unknown-tenant", strings.ToUpper(slugs[0]), "../" + slugs[0], "%", "*"}, slugs...)
	hosts := []string{"", "127.0.0.1:8080", baseDomain, "unknown." + baseDomain, slugs[1] + "." + slugs[0] + "." + baseDomain,
		slugs[1] + ".other.test", slugs[1] + "." + baseDomain + ".other.test", "x" + slugs[1] + baseDomain, "." + baseDomain}
	for _, slug := range slugs {
		hosts = append(hosts, slug+"."+baseDomain, strings.ToUpper(slug+"."+baseDomain), slug+"."+baseDomain+":8443")
	}
	return rapid.Custom(func(t *rapid.T) said {
		return said{header: rapid.SampledFrom(headers).Draw(t, "X-Tenant"), host: rapid.SampledFrom(hosts).Draw(t, "Host")}
	})
}

func (c *client) saying(s said) *client { return c.with("X-Tenant", s.header).at(s.host) }

// TestHintsNeverReachAnotherTenant: with a token the tenant is the token's, or
// the request is refused and the refusal recorded; without one the hints
// decide alone. Whatever they say, nobody reaches a tenant but their own.
func TestHintsNeverReachAnotherTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a, b := h.tenant(t), h.tenant(t)
	hint := hints(a.slug, b.slug, h.operator(t).slug)
	tries := 0
	rapid.Check(t, func(r *rapid.T) {
		s := hint.Draw(r, "said")
		for _, n := range []*tenant{a, b} {
			tries++ // each from elsewhere: equal refusals would be one record
			w := n.as().from(fmt.Sprintf("[2001:db8::%x]:4711", tries)).saying(s).get(r, "/v1/me")
			switch s.names() {
			case "", n.slug:
				if me := decode[usersapi.User](r, w, http.StatusOK); me.ID != n.owner.id {
					r.Fatalf("%+v showed user %s", s, me.ID)
				}
			case "?":
				n.turnedAway(r, w, http.StatusBadRequest, "tenant_ambiguous")
			default:
				n.turnedAway(r, w, http.StatusForbidden, "tenant_mismatch")
			}
		}
	})
}

// turnedAway checks a refusal and its record in the tenant of the token.
func (n *tenant) turnedAway(t *rapid.T, w *response, status int, code string) {
	t.Helper()
	refused(t, w, status, code)
	records := n.records(t, w)
	if len(records) != 1 || records[0].Outcome != "denied" || records[0].Code != code || records[0].Operation != "me.get" ||
		records[0].Actor.ID == nil || *records[0].Actor.ID != n.owner.id {
		t.Errorf("%s is recorded as %+v", code, records)
	}
}

// TestHintsAloneDecideAtTheDoor: the same address and password sign in where
// the hints point and nowhere else.
func TestHintsAloneDecideAtTheDoor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a, b := h.tenant(t), h.tenant(t)
	const email = "same@example.com"
	people := map[string]person{}
	for _, n := range []*tenant{a, b} {
		n.invite(t, email)
		people[n.slug] = n.accept(t, email, tokenOfNewest(t, h, n, email))
	}
	hint := hints(a.slug, b.slug, h.operator(t).slug)
	rapid.Check(t, func(r *rapid.T) {
		h.clock.Advance(15 * time.Minute) // by then those who failed may try again
		s := hint.Draw(r, "said")
		p := people[rapid.SampledFrom([]string{a.slug, b.slug}).Draw(r, "whose password")]
		w := h.bearer("").with("Authorization", "").saying(s).from("198.51.100.7:1").post(r, "/v1/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, email, p.password))
		switch named := s.names(); {
		case named == "":
			refused(r, w, http.StatusBadRequest, "tenant_required")
		case named == "?":
			refused(r, w, http.StatusBadRequest, "tenant_ambiguous")
		case people[named].id == p.id:
			token := decode[usersapi.Tokens](r, w, http.StatusOK).AccessToken
			if me := decode[usersapi.User](r, h.bearer(token).get(r, "/v1/me"), http.StatusOK); me.ID != p.id {
				r.Fatalf("%+v signed in user %s", s, me.ID)
			}
		case people[named].email != "", named == "landlord":
			refused(r, w, http.StatusUnauthorized, "users.credentials")
		default:
			refused(r, w, http.StatusNotFound, "tenant_unknown")
		}
	})
}

// tokenOfNewest waits for the invitation to a tenant: the same person is
// invited to several.
func tokenOfNewest(t *testing.T, h *house, n *tenant, email string) string {
	t.Helper()
	for {
		arrived := h.mail.next()
		for _, m := range h.mail.Sent() {
			if m.To == email && strings.Contains(m.Text, n.slug) {
				return tokenIn(t, m.Text)
			}
		}
		select {
		case <-arrived:
		case <-t.Context().Done():
			t.Fatal("no invitation")
		}
	}
}

// TestTheAPIsOwnHostIsNoTenant: the host name under which the API itself is
// reached may lie below the base domain, and then says nothing.
func TestTheAPIsOwnHostIsNoTenant(t *testing.T) {
	t.Parallel()
	n := newHouse(t).tenant(t)
	host := strings.TrimPrefix(publicURL, "https://")
	mustDo(t, n.as().at(host).get(t, "/v1/me"))
	mustDo(t, n.stranger().at(host).post(t, "/v1/auth/login", fmt.Sprintf(`{"email":%q,"password":%q}`, n.owner.email, n.owner.password)))
}
