package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Restoration says what to make of a backup.
type Restoration struct {
	Tenant, Backup uuid.UUID // the tenant that it is of
	InPlace        bool      // put that tenant back; else make a new one
	Slug, Name     string    // of the new one
	Placement      string    // that is to house the new one; the main one unless named
}

// NewTenant is the tenant to make, if one is to be made.
func (r Restoration) NewTenant(adminEmail string) NewTenant {
	return NewTenant{Slug: r.Slug, Name: r.Name, Placement: r.Placement, AdminEmail: adminEmail}
}

// Restore begins to make a new tenant of a backup, or to put the tenant back
// to it. Until that has succeeded nothing changes for anybody.
func (s *Backups) Restore(ctx context.Context, r Restoration) (Begun, error) {
	return op.Do(ctx, s.run, Restore.On(r.Tenant.String()), func(tx uow.Tx) (Begun, error) {
		b, err := s.backups.LockBackup(ctx, tx, r.Tenant, r.Backup)
		if err != nil {
			return Begun{}, err
		}
		tx.Trail().On("tenant", r.Tenant.String(), b.Slug)
		if err := b.Restorable(); err != nil {
			return Begun{}, err
		}
		if r.InPlace && r.Slug+r.Name+r.Placement != "" {
			return Begun{}, domain.ErrInvalid.At("#/in_place", "must be false where a slug, a name or a placement for a new tenant is given")
		}
		if r.InPlace {
			return s.replace(ctx, tx, b)
		}
		return s.found(ctx, tx, r, b)
	})
}

// found begins to make a new tenant of a backup. It locks the one that the
// backup is of: erasing that takes the archives too.
func (s *Backups) found(ctx context.Context, tx uow.Tx, r Restoration, b domain.Backup) (Begun, error) {
	from, err := s.repo.Lock(ctx, tx, b.TenantID)
	if err == nil && from.Status == tenancy.Erasing {
		err = domain.ErrStatus
	}
	if err != nil {
		return Begun{}, err
	}
	t, err := s.register(ctx, tx, r.NewTenant(b.AdminEmail))
	if err != nil {
		return Begun{}, err
	}
	tx.Trail().Changed(b.View(), t.View())
	s.witness(tx, from.Tenant, Restore, s.run.Caller())
	work, err := s.begin(ctx, tx, domain.Founding(s.ids.New(), b, t))
	return Begun{Operation: work, Tenant: t}, err
}

func (s *Backups) replace(ctx context.Context, tx uow.Tx, b domain.Backup) (Begun, error) {
	t, err := s.claim(ctx, tx, b.TenantID, domain.CopyOver)
	if err != nil {
		return Begun{}, err
	}
	c, err := domain.Replacing(s.ids.New(), b, t, s.ids.New())
	if err != nil {
		return Begun{}, err
	}
	tx.Trail().Changed(nil, b.View())
	work, err := s.begin(ctx, tx, c)
	s.witness(tx, t.Tenant, Restore, s.run.Caller())
	return Begun{Operation: work, Tenant: t}, err
}

// register adds a tenant that comes to life when its copy is complete.
func (s *Backups) register(ctx context.Context, tx uow.Tx, in NewTenant) (domain.Tenant, error) {
	t, err := domain.Register(s.ids.New(), in.Slug, in.Name, tenancy.Customer, in.AdminEmail, s.clock.Now())
	if err == nil {
		t, err = t.In(in.Placement, s.houses)
	}
	if err != nil {
		return t, err
	}
	return t, s.repo.Insert(ctx, tx, t)
}

// Clone begins to make a new tenant that has what another one has, the address
// of its first administrator too.
func (s *Backups) Clone(ctx context.Context, tenant uuid.UUID, in NewTenant) (Begun, error) {
	return op.Do(ctx, s.run, Clone.On(tenant.String()), func(tx uow.Tx) (Begun, error) {
		from, err := s.claim(ctx, tx, tenant, domain.CopyClone)
		if err != nil {
			return Begun{}, err
		}
		in.AdminEmail = from.AdminEmail
		t, err := s.register(ctx, tx, in)
		if err != nil {
			return Begun{}, err
		}
		c, err := domain.Cloning(s.ids.New(), from, t)
		if err != nil {
			return Begun{}, err
		}
		tx.Trail().Changed(from.View(), t.View())
		work, err := s.begin(ctx, tx, c)
		s.witness(tx, from.Tenant, Clone, s.run.Caller())
		return Begun{Operation: work, Tenant: t}, err
	})
}
