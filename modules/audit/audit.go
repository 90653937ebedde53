// Package audit is the contract of the audit module, the trail of a tenant.
//
// Other modules need nothing of it. They write to the trail by running
// operations: op.Do hands what the body left in uow.Trail to an op.Recorder,
// which this module implements, inside the transaction of the change. There
// is no other way in, so that no record can be missing, invented or detached
// from what it tells of.
package audit

import (
	"context"
	"time"

	"github.com/insulahq/insula/platform/tenancy"
)

// Policy says how a tenant's trail is sealed, and how long it is kept.
type Policy struct {
	Every   time.Duration // records wait so long to be sealed together
	Batch   int           // records sealed together at most
	Forward bool          // the sealed records themselves are kept in the object store too
	Keep    time.Duration // zero: for ever
	Hold    bool          // a legal hold: nothing is removed, whatever its age
}

// Policies knows the policy of each tenant.
type Policies interface {
	PolicyOf(ctx context.Context, t tenancy.Tenant) (Policy, error)
}
