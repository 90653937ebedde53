package infra

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra/internal/rolesdb"
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Assignments implements roles.Assignments.
//
// Locks are taken in one order: the assignments of the user that is changed,
// by role, then the row of the owner role, and only by who takes ownership
// from somebody. Nobody who holds the second waits for a first, so there is
// no circle; and two owners who leave at once leave one after the other.
type Assignments struct {
	q         *rolesdb.Queries
	catalogue *domain.Catalogue
	standing  users.Standing
}

// NewAssignments makes the assignments of every tenant.
func NewAssignments(c *domain.Catalogue, s users.Standing) *Assignments {
	return &Assignments{q: rolesdb.New(), catalogue: c, standing: s}
}

// Set implements roles.Assignments.
func (a *Assignments) Set(ctx context.Context, tx uow.Tx, by authn.Caller, user uuid.UUID, names []string) error {
	wanted, err := a.named(ctx, tx, names)
	if err != nil {
		return err
	}
	current, err := a.locked(ctx, tx, user)
	if err != nil {
		return err
	}
	added, removed := without(wanted, current), without(current, wanted)
	for _, r := range slices.Concat(added, removed) {
		if !a.catalogue.MayPass(by.Grants, r) {
			return domain.ErrBeyondOwn
		}
	}
	if err := a.remove(ctx, tx, user, removed); err != nil {
		return err
	}
	return a.add(ctx, tx, user, added)
}

// Found implements roles.Assignments.
func (a *Assignments) Found(ctx context.Context, tx uow.Tx, user uuid.UUID, names []string) error {
	wanted, err := a.named(ctx, tx, names)
	if err != nil {
		return err
	}
	return a.add(ctx, tx, user, wanted)
}

// Release implements roles.Assignments.
func (a *Assignments) Release(ctx context.Context, tx uow.Tx, user uuid.UUID) error {
	current, err := a.locked(ctx, tx, user)
	if err != nil {
		return err
	}
	return a.remove(ctx, tx, user, current)
}

// MayManage implements roles.Assignments.
func (a *Assignments) MayManage(ctx context.Context, tx uow.Tx, by authn.Caller, user uuid.UUID) error {
	rows, err := a.q.RolesOfUser(ctx, pg.DB(tx), user)
	if err != nil {
		return fmt.Errorf("read the roles of a user: %w", pg.Translate(err, nil, nil))
	}
	for _, r := range toRoles(rows) {
		if !a.catalogue.MayPass(by.Grants, r) {
			return domain.ErrAboveYou
		}
	}
	return nil
}

// Suspendable implements roles.Assignments.
func (a *Assignments) Suspendable(ctx context.Context, tx uow.Tx, user uuid.UUID) error {
	current, err := a.locked(ctx, tx, user)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(current, isOwner) {
		return nil
	}
	return a.anotherOwner(ctx, tx, user)
}

// Of implements roles.Assignments. Every user asked for is in the answer,
// also one without roles.
func (a *Assignments) Of(ctx context.Context, tx uow.Tx, users []uuid.UUID) (map[uuid.UUID][]string, error) {
	rows, err := a.q.RolesOfUsers(ctx, pg.DB(tx), users)
	if err != nil {
		return nil, fmt.Errorf("read the roles of users: %w", pg.Translate(err, nil, nil))
	}
	of := make(map[uuid.UUID][]string, len(users))
	for _, u := range users {
		of[u] = []string{}
	}
	for _, row := range rows {
		of[row.UserID] = append(of[row.UserID], row.Name)
	}
	return of, nil
}

// named finds the roles of all names; a name may be given twice.
func (a *Assignments) named(ctx context.Context, tx uow.Tx, names []string) ([]domain.Role, error) {
	if len(names) == 0 {
		return nil, nil
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	rows, err := a.q.RolesNamed(ctx, pg.DB(tx), names)
	if err != nil {
		return nil, fmt.Errorf("find roles: %w", pg.Translate(err, nil, nil))
	}
	if len(rows) != len(names) {
		return nil, domain.ErrUnknown
	}
	return toRoles(rows), nil
}

// locked reads the roles of a user and keeps others from changing them.
func (a *Assignments) locked(ctx context.Context, tx uow.Tx, user uuid.UUID) ([]domain.Role, error) {
	rows, err := a.q.LockRolesOfUser(ctx, pg.DB(tx), user)
	if err != nil {
		return nil, fmt.Errorf("lock the roles of a user: %w", pg.Translate(err, nil, nil))
	}
	return toRoles(rows), nil
}

// remove takes exactly the roles that locked has shown: one that the user got
// meanwhile stays, for nobody has checked it.
func (a *Assignments) remove(ctx context.Context, tx uow.Tx, user uuid.UUID, gone []domain.Role) error {
	if len(gone) == 0 {
		return nil
	}
	if slices.ContainsFunc(gone, isOwner) {
		if err := a.anotherOwner(ctx, tx, user); err != nil {
			return err
		}
	}
	if err := a.q.RemoveRoles(ctx, pg.DB(tx), user, idsOf(gone)); err != nil {
		return fmt.Errorf("take roles from a user: %w", pg.Translate(err, nil, nil))
	}
	return nil
}

// roleGone is a role that was deleted after its name had been looked up.
var roleGone = pg.Rules{"user_roles_role_id_fkey": domain.ErrUnknown}

func (a *Assignments) add(ctx context.Context, tx uow.Tx, user uuid.UUID, added []domain.Role) error {
	if len(added) == 0 {
		return nil
	}
	if err := a.q.AddRoles(ctx, pg.DB(tx), user, idsOf(added)); err != nil {
		return fmt.Errorf("give roles to a user: %w", pg.Translate(err, nil, roleGone))
	}
	return nil
}

// anotherOwner waits for whoever is just taking ownership from somebody, then
// returns domain.ErrLastOwner when no other owner could sign in.
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

func isOwner(r domain.Role) bool { return r.BuiltIn && r.Name == roles.Owner }

// without lists the roles of from that are not among others.
func without(from, others []domain.Role) []domain.Role {
	var left []domain.Role
	for _, r := range from {
		if !slices.ContainsFunc(others, func(o domain.Role) bool { return o.ID == r.ID }) {
			left = append(left, r)
		}
	}
	return left
}

func idsOf(rs []domain.Role) []uuid.UUID {
	ids := make([]uuid.UUID, len(rs))
	for i, r := range rs {
		ids[i] = r.ID
	}
	return ids
}
