package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/uow"
)

// Person is a user with the names of its roles, sorted, and when those end
// that do.
type Person struct {
	domain.User
	Roles []string
	Ends  roles.Ends
}

// told is what the trail keeps of the roles: each by name, with its end.
func (p Person) told() []string {
	told := make([]string, len(p.Roles))
	for i, role := range p.Roles {
		told[i] = role
		if end, ends := p.Ends[role]; ends {
			told[i] += " until " + end.UTC().Format(time.RFC3339)
		}
	}
	return told
}

// Directory is what the services of a process share: users together with
// their roles.
type Directory struct {
	users domain.Repository
	roles roles.Assignments
	clock clock.Clock
	held  held
}

// NewDirectory makes the directory of a process.
func NewDirectory(users domain.Repository, r roles.Assignments, c clock.Clock) *Directory {
	return &Directory{users: users, roles: r, clock: c, held: newHeld()}
}

// person adds the roles to a user.
func (d *Directory) person(ctx context.Context, tx uow.Tx, u domain.User) (Person, error) {
	held, err := d.roles.Of(ctx, tx, []uuid.UUID{u.ID})
	return Person{User: u, Roles: held[u.ID].Names, Ends: held[u.ID].Ends}, err
}

// lock finds a user for a change and names it as the target.
func (d *Directory) lock(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.User, error) {
	u, err := d.users.Lock(ctx, tx, id)
	if err == nil {
		aim(tx, u)
	}
	return u, err
}

// rule changes a user or says why not.
type rule func(u domain.User, now time.Time) (domain.User, error)

// change applies a rule to a user at a version and stores the result.
func (d *Directory) change(ctx context.Context, tx uow.Tx, id uuid.UUID, version int64, apply rule) (before, after domain.User, err error) {
	if before, err = d.lock(ctx, tx, id); err != nil {
		return before, after, err
	}
	if err = before.At(version); err != nil {
		return before, after, err
	}
	if after, err = apply(before, d.clock.Now()); err != nil {
		return before, after, err
	}
	tx.Trail().Changed(before.View(), after.View())
	after, err = d.users.Save(ctx, tx, after)
	return before, after, err
}

// aim names a user as the target in the trail.
func aim(tx uow.Tx, u domain.User) { tx.Trail().On("user", u.ID.String(), u.Email.String()) }
