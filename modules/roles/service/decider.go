package service

import (
	"github.com/insulahq/insula/platform/authn"
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
// Whether the tenant is served at all is not decided here but at the wall, so
// that the answer to a caller is the same in every status.
func (Decider) Decide(r scope.Request, d op.Def) op.Decision {
	switch d.Guard {
	case op.ByNobody:
		return allow("public")
	case op.BySession:
		return bySession(r.Caller)
	case op.ByPermission:
		return byRole(r.Caller, d.Name)
	case op.ByLandlord:
		if r.Tenant.Kind != tenancy.Landlord {
			return deny("not the operator's tenant")
		}
		return byRole(r.Caller, d.Name)
	case op.ByJob:
		return byJob(r.Caller, d.Name)
	}
	return deny("unknown guard")
}

// isPerson tells people from jobs: a job holds the operation it is named for
// and nothing else, and who is nobody holds nothing.
func isPerson(c authn.Caller) bool { return c.Kind == authn.User || c.Kind == authn.Operator }

func bySession(c authn.Caller) op.Decision {
	if !isPerson(c) {
		return deny("not signed in")
	}
	return allow("signed in")
}

func byRole(c authn.Caller, operation string) op.Decision {
	if !isPerson(c) {
		return deny("not signed in")
	}
	role, held := c.Grants.Role(operation)
	if !held {
		return deny("no role")
	}
	return allow("role " + role)
}

func byJob(c authn.Caller, operation string) op.Decision {
	if c.Kind != authn.Job || c.Label != operation {
		return deny("not this job")
	}
	return allow("job")
}

func allow(rule string) op.Decision { return op.Decision{Allow: true, Rule: rule} }

func deny(rule string) op.Decision { return op.Decision{Rule: rule} }
