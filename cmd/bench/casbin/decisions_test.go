// Package casbin compares the decisions of Insula with those of casbin on the
// same policy, in the same run. It is a module of its own, so that casbin and
// what it needs never become a part of the product.
package casbin_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// The policy: roles in chains, each of which inherits from the one below it
// and gives a few permissions of its own; each user has a few roles.
const (
	userCount  = 10_000
	roleCount  = 200
	depth      = 5
	perRole    = 4
	perUser    = 3
	operations = 60
)

// policy is one policy in both forms.
type policy struct {
	defs    []op.Def
	users   []string
	grants  []*authn.Grants // by user
	casbin  *casbin.Enforcer
	cached  *casbin.CachedEnforcer
	queries []query
}

type query struct {
	user, operation int
}

func name(kind string, i int) string { return fmt.Sprintf("%s%d", kind, i) }

func build(tb testing.TB) *policy {
	tb.Helper()
	random := rand.New(rand.NewPCG(1, 2)) // the same policy each time
	p := &policy{}
	var known []domain.Operation
	for i := range operations {
		d := op.Write(fmt.Sprintf("module%c.verb_%c%c", 'a'+i/10, 'a'+i/26, 'a'+i%26), "Do it.")
		p.defs = append(p.defs, d)
		known = append(known, domain.Operation{Name: d.Name, Module: d.Module(), Changes: true})
	}
	var rules, links [][]string
	roles := make([]domain.Role, roleCount)
	for i := range roles {
		r := domain.Role{ID: uuid.NewSHA1(uuid.NameSpaceURL, []byte(name("role", i))), Name: name("role", i)}
		for _, o := range random.Perm(operations)[:perRole] {
			r.Permissions = append(r.Permissions, p.defs[o].Name)
			rules = append(rules, []string{r.Name, p.defs[o].Name})
		}
		if i%depth != 0 {
			r.Parents = []uuid.UUID{roles[i-1].ID}
			links = append(links, []string{r.Name, roles[i-1].Name})
		}
		roles[i] = r
	}
	catalogue, err := domain.NewCatalogue(known, nil, nil)
	must(tb, err)
	compiled := catalogue.Compile(1, false, roles, nil)
	for u := range userCount {
		p.users = append(p.users, name("user", u))
		var parts []authn.Part
		for _, i := range random.Perm(roleCount)[:perUser] {
			parts = append(parts, authn.NewPart(roles[i].Name, compiled.Holds(roles[i].ID)))
			links = append(links, []string{p.users[u], roles[i].Name})
		}
		p.grants = append(p.grants, authn.Resolve(compiled.Names(), time.Time{}, parts...))
	}
	p.enforcers(tb, rules, links)
	for range 4096 {
		p.queries = append(p.queries, query{random.IntN(userCount), random.IntN(operations)})
	}
	return p
}

func (p *policy) enforcers(tb testing.TB, rules, links [][]string) {
	tb.Helper()
	const text = `
[request_definition]
r = sub, act
[policy_definition]
p = sub, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && g(r.sub, p.sub)
`
	m, err := model.NewModelFromString(text)
	must(tb, err)
	p.casbin, err = casbin.NewEnforcer(m)
	must(tb, err)
	_, err = p.casbin.AddPolicies(rules)
	must(tb, err)
	_, err = p.casbin.AddGroupingPolicies(links)
	must(tb, err)
	m, err = model.NewModelFromString(text) // an enforcer fills its model
	must(tb, err)
	p.cached, err = casbin.NewCachedEnforcer(m)
	must(tb, err)
	_, err = p.cached.AddPolicies(rules)
	must(tb, err)
	_, err = p.cached.AddGroupingPolicies(links)
	must(tb, err)
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// insula decides as a request is decided.
func (p *policy) insula(q query) bool {
	r := scope.Request{
		Tenant: tenancy.Tenant{Kind: tenancy.Customer, Status: tenancy.Active},
		Caller: authn.Caller{Kind: authn.User, Grants: p.grants[q.user]},
	}
	return service.NewDecider().Decide(r, p.defs[q.operation]).Allow
}

// TestBothDecideAlike: what is compared must be the same.
func TestBothDecideAlike(t *testing.T) {
	p := build(t)
	allowed := 0
	for _, q := range p.queries {
		want, err := p.casbin.Enforce(p.users[q.user], p.defs[q.operation].Name)
		must(t, err)
		if got := p.insula(q); got != want {
			t.Fatalf("%s, %s: insula %v, casbin %v", p.users[q.user], p.defs[q.operation].Name, got, want)
		}
		if want {
			allowed++
		}
	}
	if allowed == 0 || allowed == len(p.queries) {
		t.Fatalf("%d of %d allowed: the policy decides nothing", allowed, len(p.queries))
	}
}

func BenchmarkDecision(b *testing.B) {
	p := build(b)
	b.Run("insula", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			p.insula(p.queries[i%len(p.queries)])
			i++
		}
	})
	b.Run("casbin", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			q := p.queries[i%len(p.queries)]
			if _, err := p.casbin.Enforce(p.users[q.user], p.defs[q.operation].Name); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
	b.Run("casbin-remembered", func(b *testing.B) { // each answer was asked for before
		for _, q := range p.queries {
			_, err := p.cached.Enforce(p.users[q.user], p.defs[q.operation].Name)
			must(b, err)
		}
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			q := p.queries[i%len(p.queries)]
			if _, err := p.cached.Enforce(p.users[q.user], p.defs[q.operation].Name); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
}
