// Package roles is the contract of the roles module: what other modules may
// ask of it. Roles are sets of permissions; users have roles; the decision
// maker decides from the permissions a caller holds.
package roles

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/uow"
)

// The built-in roles. Every tenant has them, and what they hold follows from
// the operations compiled into the binary.
const (
	Owner   = "owner"   // everything in the tenant
	Admin   = "admin"   // everything but taking ownership
	Member  = "member"  // works with files, sees colleagues
	Auditor = "auditor" // reads everything, changes nothing
)

// Ends says when some roles of a user end, by name of the role. A role that is
// not among them is held for good.
type Ends map[string]time.Time

// Held is what roles a user has now.
type Held struct {
	Names []string // sorted
	Ends  Ends     // of those that end
}

// Assignments changes which roles users have, inside the caller's unit of
// work. A caller that also changes the user's own row does that first, so that
// two changes of one user queue there.
type Assignments interface {
	// Set replaces the roles of a user; ends may be nil. It returns domain
	// errors for a role that does not exist (roles.unknown), for an end that is
	// over or belongs to no role that is given (roles.expiry), for handing out
	// more than by holds (roles.beyond_own), and for taking the last owner's
	// role (roles.last_owner): an owner whose role ends does not count as one
	// who stays.
	Set(ctx context.Context, tx uow.Tx, by authn.Caller, user uuid.UUID, names []string, ends Ends) error
	// Found gives roles to the first user of a new tenant, whom nobody grants
	// them.
	Found(ctx context.Context, tx uow.Tx, user uuid.UUID, names []string) error
	// Release takes all roles of a user who is being removed. It returns
	// roles.last_owner when nobody else would own the tenant.
	Release(ctx context.Context, tx uow.Tx, user uuid.UUID) error
	// Suspendable returns roles.last_owner when no other owner could sign in.
	Suspendable(ctx context.Context, tx uow.Tx, user uuid.UUID) error
	// MayManage returns roles.above_you when the user holds more than by does:
	// whoever could change such an account could take it over.
	MayManage(ctx context.Context, tx uow.Tx, by authn.Caller, user uuid.UUID) error
	// Holders lists the users who have the role of this name now, in no order;
	// nobody has one that does not exist.
	Holders(ctx context.Context, tx uow.Tx, name string) ([]uuid.UUID, error)
	// Of tells which roles each user has now.
	Of(ctx context.Context, tx uow.Tx, users []uuid.UUID) (map[uuid.UUID]Held, error)
}
