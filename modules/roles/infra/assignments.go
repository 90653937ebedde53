package infra

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra/internal/rolesdb"
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Assignments implements roles.Assignments.
//
// Changes of assignments in a tenant queue at the row of its owner role, which
// is the first lock of each: there is no circle, and two owners who leave at
// once leave one after the other.
type Assignments struct {
	q         *rolesdb.Queries
	catalogue *domain.Catalogue
	standing  users.Standing
	clock     clock.Clock
}

// NewAssignments makes the assignments of every tenant.
func NewAssignments(c *domain.Catalogue, s users.Standing, now clock.Clock) *Assignments {
	return &Assignments{q: rolesdb.New(), catalogue: c, standing: s, clock: now}
}

// Set implements roles.Assignments.
func (a *Assignments) Set(ctx context.Context, tx uow.Tx, by authn.Caller, user uuid.UUID, names []string, ends roles.Ends) error {
	policy, err := a.policy(ctx, tx)
	if err != nil {
		return err
	}
	wanted, err := a.wanted(policy, names, ends)
	if err != nil {
		return err
	}
	rows, err := a.locked(ctx, tx, user)
	if err != nil {
		return err
	}
	change := domain.ChangeOf(rows, wanted, a.clock.Now())
	for _, role := range change.Touched {
		if !policy.MayPass(by.Grants, role) {
			return domain.ErrBeyondOwn
		}
	}
	if policy.LosesOwner(change) {
		if err := a.anotherOwner(ctx, tx, user); err != nil {
			return err
		}
	}
	if err := a.remove(ctx, tx, user, change.Removed); err != nil {
		return err
	}
	return a.add(ctx, tx, user, change.Added)
}

// Found implements roles.Assignments.
func (a *Assignments) Found(ctx context.Context, tx uow.Tx, user uuid.UUID, names []string) error {
	policy, err := a.policy(ctx, tx)
	if err != nil {
		return err
	}
	wanted, err := a.wanted(policy, names, nil)
	if err != nil {
		return err
	}
	return a.add(ctx, tx, user, wanted)
}

// Release implements roles.Assignments.
func (a *Assignments) Release(ctx context.Context, tx uow.Tx, user uuid.UUID) error {
	policy, err := a.policy(ctx, tx)
	if err != nil {
		return err
	}
	current, err := a.locked(ctx, tx, user)
	if err != nil {
		return err
	}
	change := domain.ChangeOf(current, nil, a.clock.Now())
	if policy.LosesOwner(change) {
		if err := a.anotherOwner(ctx, tx, user); err != nil {
			return err
		}
	}
	return a.remove(ctx, tx, user, change.Removed)
}

// MayManage implements roles.Assignments.
func (a *Assignments) MayManage(ctx context.Context, tx uow.Tx, by authn.Caller, user uuid.UUID) error {
	policy, err := a.policy(ctx, tx)
	if err != nil {
		return err
	}
	rows, err := a.q.HoldingsOfUser(ctx, pg.DB(tx), user, a.clock.Now())
	if err != nil {
		return fmt.Errorf("read the roles of a user: %w", pg.Translate(err, nil, nil))
	}
	for _, r := range rows {
		if !policy.MayPass(by.Grants, r.RoleID) {
			return domain.ErrAboveYou
		}
	}
	return nil
}

// Suspendable implements roles.Assignments.
func (a *Assignments) Suspendable(ctx context.Context, tx uow.Tx, user uuid.UUID) error {
	policy, err := a.policy(ctx, tx)
	if err != nil {
		return err
	}
	current, err := a.locked(ctx, tx, user)
	if err != nil {
		return err
	}
	if !policy.LosesOwner(domain.ChangeOf(current, nil, a.clock.Now())) {
		return nil
	}
	return a.anotherOwner(ctx, tx, user)
}

// Of implements roles.Assignments. Every user asked for is in the answer,
// also one without roles.
func (a *Assignments) Of(ctx context.Context, tx uow.Tx, users []uuid.UUID) (map[uuid.UUID]roles.Held, error) {
	rows, err := a.q.RolesOfUsers(ctx, pg.DB(tx), users, a.clock.Now())
	if err != nil {
		return nil, fmt.Errorf("read the roles of users: %w", pg.Translate(err, nil, nil))
	}
	of := make(map[uuid.UUID]roles.Held, len(users))
	for _, u := range users {
		of[u] = roles.Held{Names: []string{}}
	}
	for _, row := range rows {
		held := of[row.UserID]
		held.Names = append(held.Names, row.Name)
		if row.ExpiresAt != nil {
			if held.Ends == nil {
				held.Ends = roles.Ends{}
			}
			held.Ends[row.Name] = *row.ExpiresAt
		}
		of[row.UserID] = held
	}
	return of, nil
}

// policy is compiled as for the operator's tenant: Policy.MayPass knows what
// is void in others.
func (a *Assignments) policy(ctx context.Context, tx uow.Tx) (*domain.Policy, error) {
	return readPolicy(ctx, tx, a.q, a.catalogue, true)
}

// Holders implements roles.Assignments.
func (a *Assignments) Holders(ctx context.Context, tx uow.Tx, name string) ([]uuid.UUID, error) {
	ids, err := a.q.HoldersOfRole(ctx, pg.DB(tx), name, a.clock.Now())
	if err != nil {
		return nil, fmt.Errorf("find the holders of a role: %w", pg.Translate(err, nil, nil))
	}
	return ids, nil
}

// wanted finds the roles of all names; a name may be given twice.
func (a *Assignments) wanted(policy *domain.Policy, names []string, ends roles.Ends) ([]domain.Holding, error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	now := a.clock.Now()
	for name, end := range ends {
		if !slices.Contains(names, name) || !end.After(now) {
			return nil, domain.ErrExpiry
		}
	}
	wanted := make([]domain.Holding, len(names))
	for i, name := range names {
		r, known := policy.Named(name)
		if !known {
			return nil, domain.ErrUnknown
		}
		wanted[i] = domain.Holding{Role: r.ID, Until: ends[name].Truncate(time.Microsecond)}
	}
	return wanted, nil
}

// locked reads the roles of a user, also those that have ended, and keeps
// others from changing them.
func (a *Assignments) locked(ctx context.Context, tx uow.Tx, user uuid.UUID) ([]domain.Holding, error) {
	if _, err := a.q.LockRoleNamed(ctx, pg.DB(tx), roles.Owner); err != nil {
		return nil, fmt.Errorf("queue for a change of roles: %w", pg.Translate(err, nil, nil))
	}
	rows, err := a.q.LockHoldingsOfUser(ctx, pg.DB(tx), user)
	if err != nil {
		return nil, fmt.Errorf("lock the roles of a user: %w", pg.Translate(err, nil, nil))
	}
	held := make([]domain.Holding, len(rows))
	for i, r := range rows {
		held[i] = holding(r.RoleID, r.ExpiresAt)
	}
	return held, nil
}

// remove takes exactly the roles that locked has shown: one that the user got
// meanwhile stays, for nobody has checked it.
func (a *Assignments) remove(ctx context.Context, tx uow.Tx, user uuid.UUID, gone []uuid.UUID) error {
	if len(gone) == 0 {
		return nil
	}
	if err := a.q.RemoveRoles(ctx, pg.DB(tx), user, gone); err != nil {
		return fmt.Errorf("take roles from a user: %w", pg.Translate(err, nil, nil))
	}
	return nil
}

// roleGone is a role that was deleted after its name had been looked up.
var roleGone = pg.Rules{"user_roles_role_id_fkey": domain.ErrUnknown}

// add gives roles, in one statement for all that end together.
func (a *Assignments) add(ctx context.Context, tx uow.Tx, user uuid.UUID, added []domain.Holding) error {
	together := map[time.Time][]uuid.UUID{}
	for _, h := range added {
		together[h.Until] = append(together[h.Until], h.Role)
	}
	for until, ids := range together {
		var end *time.Time
		if !until.IsZero() {
			end = &until
		}
		if err := a.q.AddRoles(ctx, pg.DB(tx), user, end, ids); err != nil {
			return fmt.Errorf("give roles to a user: %w", pg.Translate(err, nil, roleGone))
		}
	}
	return nil
}

// anotherOwner returns domain.ErrLastOwner when no other owner could sign in.
func (a *Assignments) anotherOwner(ctx context.Context, tx uow.Tx, user uuid.UUID) error {
	owner, err := a.q.LockRoleNamed(ctx, pg.DB(tx), roles.Owner)
	if err != nil {
		return fmt.Errorf("lock the ownership: %w", pg.Translate(err, nil, nil))
	}
	others, err := a.q.OthersWithRole(ctx, pg.DB(tx), owner, user)
	if err != nil {
		return fmt.Errorf("look for another owner: %w", pg.Translate(err, nil, nil))
	}
	if len(others) > 0 {
		active, err := a.standing.AnyActive(ctx, tx, others)
		if err != nil || active {
			return err
		}
	}
	return domain.ErrLastOwner
}
