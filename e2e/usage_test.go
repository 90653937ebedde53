package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// usageLine is what `tenant usage --json` prints.
type usageLine struct {
	Slug     string           `json:"slug"`
	Amounts  map[string]int64 `json:"amounts"`
	Requests []struct {
		Answered, Limited, Failed int64
	} `json:"requests"`
}

// used is what the command line says of a tenant.
func (s *stack) used(t *testing.T, slug string) (u usageLine, answered int64) {
	t.Helper()
	if err := json.Unmarshal(s.insula(t, "tenant", "usage", slug, "--json"), &u); err != nil {
		t.Fatal(err)
	}
	for _, d := range u.Requests {
		answered += d.Answered
	}
	return u, answered
}

// TestRequestsAreCountedToTheLast: two servers that stop in order have told of
// every request, though they had long to go to their next telling; one that is
// killed takes with it what it had not told.
func TestRequestsAreCountedToTheLast(t *testing.T) {
	s := partsOf(t)
	s.insula(t, "migrate")
	const seldom = "INSULA_USAGE_FLUSH=10m"
	stop := func(v *server) {
		t.Helper()
		if err := v.stop(t); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(n tenant, times int) {
		t.Helper()
		for range times {
			n.owner.do(t, "GET", "/v1/users", "").want(t, http.StatusOK)
		}
	}
	first := s.serve(t, seldom)
	n := s.found(t, first).newTenant(t, "counted")
	stop(first)
	_, before := s.used(t, n.slug)
	if before == 0 {
		t.Error("a server that has stopped has told of nothing")
	}

	one, two := s.serve(t, seldom), s.serve(t, seldom)
	ask(n.at(one), 7)
	ask(n.at(two), 5)
	if _, now := s.used(t, n.slug); now != before {
		t.Errorf("%d requests are told of before the servers do", now-before)
	}
	stop(one)
	stop(two)
	u, after := s.used(t, n.slug)
	if after != before+12 {
		t.Errorf("%d requests are counted, of 12", after-before)
	}
	if u.Amounts["users.total"] != 1 || u.Amounts["database.bytes"] == 0 {
		t.Errorf("amounts %v", u.Amounts)
	}

	killed := s.serve(t, seldom)
	ask(n.at(killed), 3)
	killed.kill()
	if _, now := s.used(t, n.slug); now != after {
		t.Errorf("%d requests are counted of a server that could not tell", now-after)
	}

	if table := string(s.insula(t, "tenant", "usage", "--all")); !strings.Contains(table, "DATABASE.BYTES") || !strings.Contains(table, n.slug) {
		t.Errorf("all tenants:\n%s", table)
	}
	for want, args := range map[string][]string{
		"name a tenant":            {"tenant", "usage"},
		"or ask for --all":         {"tenant", "usage", n.slug, "--all"},
		"a day is written as in":   {"tenant", "usage", n.slug, "--from", "yesterday"},
		"days cannot be asked for": {"tenant", "usage", n.slug, "--from", "2020-01-01"},
	} {
		if said := s.complains(t, args...); !strings.Contains(said, want) {
			t.Errorf("%v: %s", args, said)
		}
	}
}
