package service_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// One operation of each guard.
var (
	open      = op.Read("things.open", "Open.", op.Public("for the test"))
	self      = op.Read("things.self", "Self.", op.SignedIn)
	granted   = op.Write("things.change", "Change.")
	landlords = op.Write("things.rule", "Rule.", op.Landlord)
	nightly   = op.Job("things.nightly", "Nightly.")
	strange   = op.Read("things.strange", "Strange.", func(d *op.Def) { d.Guard = 99 })
)

// Each caller holds, or is named for, everything that its kind could.
func caller(kind authn.Kind) authn.Caller {
	c := authn.Caller{Kind: kind, Grants: authn.NewGrants([]string{"keeper"}, map[string]string{
		granted.Name: "keeper", landlords.Name: "keeper", nightly.Name: "keeper", strange.Name: "keeper",
	})}
	if kind == authn.Job {
		c.Label = nightly.Name
	}
	return c
}

func TestDecideByGuardCallerAndTenant(t *testing.T) {
	nobody, anonymous := authn.Kind(""), authn.Anonymous
	user, operator, job := authn.User, authn.Operator, authn.Job
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

		{strange, user, tenancy.Landlord, false, "unknown guard"},
		{strange, job, tenancy.Landlord, false, "unknown guard"},
	} {
		t.Run(fmt.Sprintf("%s by %s at %s", tc.def.Name, tc.kind, tc.at), func(t *testing.T) {
			r := scope.Request{Tenant: tenancy.Tenant{Kind: tc.at}, Caller: caller(tc.kind)}
			want := op.Decision{Allow: tc.allow, Rule: tc.rule}
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
			r := scope.Request{Tenant: tenancy.Tenant{Kind: tenancy.Landlord}, Caller: c}
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

// allowed spells out, case by case, all that is allowed.
func allowed(r scope.Request, d op.Def, held []string) bool {
	holds := slices.Contains(held, d.Name)
	c := r.Caller
	cases := []bool{
		d.Guard == op.ByNobody,
		d.Guard == op.BySession && c.Kind == authn.User,
		d.Guard == op.BySession && c.Kind == authn.Operator,
		d.Guard == op.ByPermission && c.Kind == authn.User && holds,
		d.Guard == op.ByPermission && c.Kind == authn.Operator && holds,
		d.Guard == op.ByLandlord && c.Kind == authn.User && holds && r.Tenant.Kind == tenancy.Landlord,
		d.Guard == op.ByLandlord && c.Kind == authn.Operator && holds && r.Tenant.Kind == tenancy.Landlord,
		d.Guard == op.ByJob && c.Kind == authn.Job && c.Label == d.Name,
	}
	return slices.Contains(cases, true)
}

func TestDecideAgreesWithTheOracle(t *testing.T) {
	defs := []op.Def{open, self, granted, landlords, nightly, strange}
	names := []string{granted.Name, landlords.Name, nightly.Name, self.Name, strange.Name, "things.unknown"}
	rapid.Check(t, func(t *rapid.T) {
		held := rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(t, "held")
		from := map[string]string{}
		for _, n := range held {
			from[n] = "keeper"
		}
		r := scope.Request{
			Tenant: tenancy.Tenant{
				Kind:   rapid.SampledFrom([]tenancy.Kind{"", tenancy.Customer, tenancy.Landlord}).Draw(t, "tenant"),
				Status: rapid.SampledFrom([]tenancy.Status{tenancy.Active, tenancy.Suspended, tenancy.Deleting}).Draw(t, "status"),
			},
			Caller: authn.Caller{
				Kind:   rapid.SampledFrom([]authn.Kind{"", authn.Anonymous, authn.User, authn.Job, authn.Operator, "root"}).Draw(t, "kind"),
				Label:  rapid.SampledFrom(names).Draw(t, "label"),
				Grants: authn.NewGrants(nil, from),
			},
		}
		d := rapid.SampledFrom(defs).Draw(t, "operation")
		got := service.NewDecider().Decide(r, d)
		if got.Allow != allowed(r, d, held) {
			t.Fatalf("decided %+v", got)
		}
		if got.Rule == "" {
			t.Fatal("a decision without a reason")
		}
	})
}
