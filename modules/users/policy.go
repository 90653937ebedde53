package users

import (
	"time"

	"github.com/insulahq/insula/platform/tenancy"
)

// Policy is how strict a tenant is about its users' access.
type Policy struct {
	Lifetimes
	// SecondFactor says that everybody needs one.
	SecondFactor bool
}

// Policies resolves the policy of a tenant. It is the one place where a
// setting of a tenant can take the place of the installation's.
type Policies interface {
	Of(t tenancy.Tenant) Policy
}

// Lifetimes says how long things are good for.
type Lifetimes struct {
	Access  time.Duration // an access token
	Session time.Duration // a session without a new login
	Idle    time.Duration // a session that is not refreshed
	Grace   time.Duration // a used refresh token, for parallel refreshes
}

// IdleSince is when a session must have been used last to be live at now.
func (l Lifetimes) IdleSince(now time.Time) time.Time { return now.Add(-l.Idle) }
