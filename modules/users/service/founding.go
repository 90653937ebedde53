package service

import (
	"context"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Founding looks after the first administrator of a tenant. It implements
// tenants.Seeder and users.Founder.
type Founding struct {
	*Directory
	inviter *Inviter
	ids     id.Source
}

// NewFounding makes the founding of a process.
func NewFounding(d *Directory, i *Inviter, ids id.Source) *Founding {
	return &Founding{Directory: d, inviter: i, ids: ids}
}

// Seed adds the first administrator, invited, as owner. The built-in roles
// must have been seeded before.
func (f *Founding) Seed(ctx context.Context, tx uow.Tx, _ tenancy.Tenant, adminEmail string) error {
	u, err := domain.Found(f.ids.New(), adminEmail, f.clock.Now())
	if err != nil {
		return err
	}
	if err := f.users.Insert(ctx, tx, u); err != nil {
		return err
	}
	return f.roles.Found(ctx, tx, u.ID, []string{roles.Owner})
}

// Invite implements users.Founder.
func (f *Founding) Invite(ctx context.Context, tx uow.Tx, email string) (users.Invitation, error) {
	address, err := domain.ParseEmail(email)
	if err != nil {
		return users.Invitation{}, err
	}
	u, err := f.users.FindByEmail(ctx, tx, address)
	if err != nil {
		return users.Invitation{}, err
	}
	if u.Status != domain.Invited {
		return users.Invitation{}, domain.ErrNotInvited
	}
	aim(tx, u)
	return f.inviter.issue(ctx, tx, u)
}
