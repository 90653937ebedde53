package service_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// One operation of each guard.
var (
	open      = op.Read("things.open", "Open.", op.Public("for the test"))
	self      = op.Read("things.self", "Self.", op.SignedIn)
	oneself   = op.Read("things.oneself", "Oneself.", op.SignedInOrKey)
	granted   = op.Write("things.change", "Change.")
	landlords = op.Write("things.rule", "Rule.", op.Landlord)
	owned     = op.Write("things.keep", "Keep.", op.OwnerToo, op.About("thing"))
	nightly   = op.Job("things.nightly", "Nightly.")
	strange   = op.Read("things.strange", "Strange.", func(d *op.Def) { d.Guard = 99 })
)

// Each caller holds, or is named for, everything that its kind could.
func caller(kind authn.Kind) authn.Caller {
	c := authn.Caller{Kind: kind, Grants: authn.NewGrants([]string{"keeper"}, map[string]string{
		granted.Name: "keeper", landlords.Name: "keeper", nightly.Name: "keeper", strange.Name: "keeper",
	})}
	if kind == authn.APIKey {
		c.Grants = c.Grants.Narrow([]string{granted.Name})
	}
	if kind == authn.Job {
		c.Label = nightly.Name
	}
	return c
}

func TestDecideByGuardCallerAndTenant(t *testing.T) {
	nobody, anonymous := authn.Kind(""), authn.Anonymous
	user, operator, job, key := authn.User, authn.Operator, authn.Job, authn.APIKey
	for _, tc := range []struct {
		def   op.Def
		kind  authn.Kind
		at    tenancy.Kind
		allow bool
		rule  string
	}{
		{open, nobody, tenancy.Customer, true, "public"},
		{open, anonymous, tenancy.Customer, true, "public"},
		{open, user, tenancy.Customer, true, "public"},
		{open, operator, tenancy.Landlord, true, "public"},
		{open, job, tenancy.Landlord, true, "public"},

		{self, nobody, tenancy.Customer, false, "not signed in"},
		{self, anonymous, tenancy.Landlord, false, "not signed in"},
		{self, user, tenancy.Customer, true, "signed in"},
		{self, operator, tenancy.Landlord, true, "signed in"},
		{self, job, tenancy.Customer, false, "not signed in"},

		{granted, nobody, tenancy.Customer, false, "not signed in"},
		{granted, anonymous, tenancy.Customer, false, "not signed in"},
		{granted, user, tenancy.Customer, true, "role keeper"},
		{granted, user, tenancy.Landlord, true, "role keeper"},
		{granted, operator, tenancy.Customer, true, "role keeper"},
		{granted, job, tenancy.Customer, false, "not signed in"},

		{landlords, anonymous, tenancy.Landlord, false, "not signed in"},
		{landlords, user, tenancy.Customer, false, "not the operator's tenant"},
		{landlords, user, "", false, "not the operator's tenant"},
		{landlords, user, tenancy.Landlord, true, "role keeper"},
		{landlords, operator, tenancy.Customer, false, "not the operator's tenant"},
		{landlords, operator, tenancy.Landlord, true, "role keeper"},
		{landlords, job, tenancy.Landlord, false, "not signed in"},

		{nightly, anonymous, tenancy.Customer, false, "not this job"},
		{nightly, user, tenancy.Landlord, false, "not this job"},
		{nightly, operator, tenancy.Landlord, false, "not this job"},
		{nightly, job, tenancy.Customer, true, "job"},

		{owned, anonymous, tenancy.Customer, false, "not signed in"},
		{owned, job, tenancy.Customer, false, "not signed in"},
		{owned, user, tenancy.Customer, false, "owner only"},
		{owned, key, tenancy.Customer, false, "outside the key's scope"},

		{open, key, tenancy.Customer, true, "public"},
		{self, key, tenancy.Customer, false, "outside the key's scope"},
		{oneself, key, tenancy.Customer, true, "signed in"},
		{oneself, user, tenancy.Customer, true, "signed in"},
		{oneself, job, tenancy.Customer, false, "not signed in"},
		{granted, key, tenancy.Customer, true, "role keeper"},
		{landlords, key, tenancy.Landlord, false, "outside the key's scope"},

		{strange, user, tenancy.Landlord, false, "unknown guard"},
		{strange, job, tenancy.Landlord, false, "not signed in"},
	} {
		t.Run(fmt.Sprintf("%s by %s at %s", tc.def.Name, tc.kind, tc.at), func(t *testing.T) {
			r := scope.Request{Tenant: tenancy.Tenant{Kind: tc.at, Status: tenancy.Active}, Caller: caller(tc.kind)}
			want := op.Decision{Allow: tc.allow, Rule: tc.rule, IfOwner: tc.rule == "owner only"}
			if got := service.NewDecider().Decide(r, tc.def); got != want {
				t.Errorf("decided %+v, want %+v", got, want)
			}
		})
	}
}

func TestDecideDeniesWhoHoldsNothing(t *testing.T) {
	other := authn.NewGrants([]string{"keeper"}, map[string]string{"things.changes": "keeper", "things": "keeper"})
	for name, c := range map[string]authn.Caller{
		"no grants":          {Kind: authn.User},
		"other grants":       {Kind: authn.User, Grants: other},
		"label of a job":     {Kind: authn.User, Label: granted.Name},
		"a job by its label": {Kind: authn.Job, Label: granted.Name},
	} {
		t.Run(name, func(t *testing.T) {
			r := scope.Request{Tenant: tenancy.Tenant{Kind: tenancy.Landlord, Status: tenancy.Active}, Caller: c}
			if got := service.NewDecider().Decide(r, granted); got.Allow {
				t.Errorf("allowed by %q", got.Rule)
			}
		})
	}
	another := scope.Request{Caller: authn.Caller{Kind: authn.Job, Label: "things.weekly"}}
	if got := service.NewDecider().Decide(another, nightly); got.Allow {
		t.Error("a job ran another job's operation")
	}
}

// verdict spells out, case by case, all that is allowed.
func verdict(r scope.Request, d op.Def, held, within []string) (allowed, ifOwner bool) {
	c := r.Caller
	holds, active := slices.Contains(held, d.Name), r.Tenant.Status == tenancy.Active
	inScope := slices.Contains(within, d.Name) || slices.Contains(within, "things.*")
	holds = holds && !c.Confined
	person := active && (c.Kind == authn.User || c.Kind == authn.Operator || c.Kind == authn.APIKey && (inScope || d.AnyKey))
	cases := []bool{
		d.Guard == op.ByNobody,
		d.Guard == op.BySession && person,
		d.Guard == op.ByPermission && person && holds,
		d.Guard == op.ByLandlord && person && holds && r.Tenant.Kind == tenancy.Landlord,
		d.Guard == op.ByJob && c.Kind == authn.Job && c.Label == d.Name,
	}
	return slices.Contains(cases, true), d.Guard == op.ByPermission && d.OwnerToo && person && !holds && !c.Confined
}

// asked draws a request for one of the operations, with all that decides it.
func asked(t *rapid.T) (r scope.Request, d op.Def, held, within []string) {
	names := []string{granted.Name, landlords.Name, nightly.Name, self.Name, strange.Name, owned.Name, "things.unknown"}
	held = rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(t, "held")
	within = rapid.SliceOf(rapid.SampledFrom(append([]string{"things.*", "others.*", "*"}, names...))).Draw(t, "scope")
	from := map[string]string{}
	for _, n := range held {
		from[n] = rapid.SampledFrom([]string{"keeper", "clerk"}).Draw(t, "role")
	}
	statuses := []tenancy.Status{tenancy.Active, tenancy.Active, tenancy.Active, tenancy.Suspended, tenancy.Deleting, ""}
	r = scope.Request{
		Tenant: tenancy.Tenant{
			Kind:   rapid.SampledFrom([]tenancy.Kind{"", tenancy.Customer, tenancy.Landlord}).Draw(t, "tenant"),
			Status: rapid.SampledFrom(statuses).Draw(t, "status"),
		},
		Caller: authn.Caller{
			Kind:   rapid.SampledFrom([]authn.Kind{"", authn.Anonymous, authn.User, authn.APIKey, authn.Job, authn.Operator, "root"}).Draw(t, "kind"),
			Label:  rapid.SampledFrom(names).Draw(t, "label"),
			Grants: authn.NewGrants(nil, from), Confined: rapid.Bool().Draw(t, "confined"),
		},
	}
	if r.Caller.Kind == authn.APIKey {
		r.Caller.Grants = r.Caller.Grants.Narrow(within)
	}
	return r, rapid.SampledFrom([]op.Def{open, self, granted, landlords, nightly, strange, owned, oneself}).Draw(t, "operation"), held, within
}

func agrees(t *rapid.T) {
	r, d, held, within := asked(t)
	got := service.NewDecider().Decide(r, d)
	allowed, ifOwner := verdict(r, d, held, within)
	if got.Allow != allowed || got.IfOwner != ifOwner || got.Allow && got.IfOwner {
		t.Fatalf("decided %+v", got)
	}
	if got.Rule == "" {
		t.Fatal("a decision without a reason")
	}
}

func TestDecideAgreesWithTheOracle(t *testing.T) { rapid.Check(t, agrees) }

// FuzzDecide looks for a disagreement where random draws do not.
func FuzzDecide(f *testing.F) { f.Fuzz(rapid.MakeFuzz(agrees)) }

// TestWhoNeedsASecondFactorIsToldSo: a role opens nothing before, nor does
// owning a thing.
func TestWhoNeedsASecondFactorIsToldSo(t *testing.T) {
	c := caller(authn.User)
	c.Confined = true
	r := scope.Request{Tenant: tenancy.Tenant{Kind: tenancy.Landlord, Status: tenancy.Active}, Caller: c}
	for _, d := range []op.Def{granted, landlords, owned} {
		got := service.NewDecider().Decide(r, d)
		if got.Allow || got.IfOwner || !errors.Is(got.Refusal, errs.ErrSecondFactorRequired) {
			t.Errorf("%s: %+v", d.Name, got)
		}
	}
	if got := service.NewDecider().Decide(r, self); !got.Allow {
		t.Errorf("the own account: %+v", got)
	}
}

func TestNobodyActsInATenantThatIsNotServed(t *testing.T) {
	for _, status := range []tenancy.Status{tenancy.Suspended, tenancy.Provisioning, tenancy.Deleting, tenancy.Erased, ""} {
		for _, d := range []op.Def{self, granted, landlords, owned} {
			r := scope.Request{Tenant: tenancy.Tenant{Kind: tenancy.Landlord, Status: status}, Caller: caller(authn.User)}
			if got := service.NewDecider().Decide(r, d); got.Allow || got.IfOwner || got.Rule != "tenant not active" {
				t.Errorf("%s in a tenant that is %q: %+v", d.Name, status, got)
			}
		}
	}
}
