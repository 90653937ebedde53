package service

import (
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// Decider is the access decision maker. It implements op.Decider and knows
// nothing but what it is asked with.
type Decider struct{}

// NewDecider makes the decision maker.
func NewDecider() Decider { return Decider{} }

// Decide implements op.Decider: what no rule allows is denied.
//
// A tenant that is not served lets nobody in. What is known of its status here
// may be seconds old: the wall asks again when the unit of work opens. Public
// operations and background work are left to the wall altogether, which knows
// the tenants that are only being made.
func (Decider) Decide(r scope.Request, d op.Def) op.Decision {
	switch d.Guard {
	case op.ByNobody:
		return allow("public")
	case op.ByJob:
		return byJob(r.Caller, d.Name)
	}
	switch {
	case !isPerson(r.Caller):
		return deny("not signed in")
	case r.Tenant.Status != tenancy.Active:
		return deny("tenant not active")
	case r.Caller.Kind == authn.APIKey && !d.AnyKey && !r.Caller.Grants.Within(d.Name):
		return deny("outside the key's scope")
	}
	switch d.Guard {
	case op.BySession:
		return allow("signed in")
	case op.ByPermission:
		return byRole(r.Caller, d)
	case op.ByLandlord:
		if r.Tenant.Kind != tenancy.Landlord {
			return deny("not the operator's tenant")
		}
		return byRole(r.Caller, d)
	}
	return deny("unknown guard")
}

// isPerson tells people, and their keys, from jobs: a job holds the operation
// it is named for and nothing else, and who is nobody holds nothing.
func isPerson(c authn.Caller) bool {
	return c.Kind == authn.User || c.Kind == authn.APIKey || c.Kind == authn.Operator
}

func byRole(c authn.Caller, d op.Def) op.Decision {
	if c.Confined {
		return op.Decision{Rule: "no second factor", Refusal: errs.ErrSecondFactorRequired}
	}
	if rule, held := c.Grants.Rule(d.Name); held {
		return allow(rule)
	}
	if d.OwnerToo {
		return op.Decision{IfOwner: true, Rule: "owner only"}
	}
	return deny("no role")
}

func byJob(c authn.Caller, operation string) op.Decision {
	if c.Kind != authn.Job || c.Label != operation {
		return deny("not this job")
	}
	return allow("job")
}

func allow(rule string) op.Decision { return op.Decision{Allow: true, Rule: rule} }

func deny(rule string) op.Decision { return op.Decision{Rule: rule} }
