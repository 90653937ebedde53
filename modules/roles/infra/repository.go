package infra

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra/internal/rolesdb"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Repository implements domain.Repository.
type Repository struct {
	q         *rolesdb.Queries
	catalogue *domain.Catalogue
	clock     clock.Clock
}

// NewRepository makes a repository.
func NewRepository(c *domain.Catalogue, now clock.Clock) *Repository {
	return &Repository{q: rolesdb.New(), catalogue: c, clock: now}
}

// rules are the errors behind the constraints of the module's tables.
var rules = pg.Rules{
	"roles_name_key":              domain.ErrNameTaken,
	"user_roles_role_id_fkey":     domain.ErrInUse,
	"role_parents_parent_id_fkey": domain.ErrInUse,
	"custom_permissions_pkey":     domain.ErrPermissionTaken,
}

// Policy implements domain.Repository.
func (r *Repository) Policy(ctx context.Context, tx uow.Tx, landlord bool) (*domain.Policy, error) {
	return readPolicy(ctx, tx, r.q, r.catalogue, landlord)
}

// Advance implements domain.Repository.
func (r *Repository) Advance(ctx context.Context, tx uow.Tx, landlord bool) (*domain.Policy, error) {
	if err := r.q.AdvancePolicy(ctx, pg.DB(tx)); err != nil {
		return nil, pg.Translate(err, nil, nil)
	}
	return readPolicy(ctx, tx, r.q, r.catalogue, landlord)
}

// Get implements domain.Repository.
func (r *Repository) Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.Role, error) {
	row, err := r.q.GetRole(ctx, pg.DB(tx), id)
	if err != nil {
		return domain.Role{}, pg.Translate(err, domain.ErrNotFound, nil)
	}
	return domain.Role(row), nil
}

// List implements domain.Repository.
func (r *Repository) List(ctx context.Context, tx uow.Tx, p page.Request) (page.Page[domain.Role], error) {
	from := p.From()
	rows, err := r.q.ListRoles(ctx, pg.DB(tx), from.At, from.ID, int32(p.Limit)+1)
	if err != nil {
		return page.Page[domain.Role]{}, pg.Translate(err, nil, nil)
	}
	out := make([]domain.Role, len(rows))
	for i, row := range rows {
		out[i] = domain.Role(row)
	}
	return page.Cut(out, p.Limit, func(r domain.Role) page.Position {
		return page.Position{At: r.CreatedAt, ID: r.ID}
	}), nil
}

// Insert implements domain.Repository.
func (r *Repository) Insert(ctx context.Context, tx uow.Tx, role domain.Role) error {
	err := r.q.InsertRole(ctx, pg.DB(tx), rolesdb.InsertRoleParams{
		ID: role.ID, Name: role.Name, Description: role.Description, BuiltIn: role.BuiltIn,
		Permissions: role.Permissions, CustomPermissions: role.CustomPermissions, CreatedAt: role.CreatedAt,
	})
	if err == nil && len(role.Parents) > 0 {
		err = r.q.AddParents(ctx, pg.DB(tx), role.ID, role.Parents)
	}
	return pg.Translate(err, nil, rules)
}

// Save implements domain.Repository.
func (r *Repository) Save(ctx context.Context, tx uow.Tx, role domain.Role) (domain.Role, error) {
	version, err := r.q.UpdateRole(ctx, pg.DB(tx), rolesdb.UpdateRoleParams{
		ID: role.ID, Description: role.Description, Permissions: role.Permissions,
		CustomPermissions: role.CustomPermissions, UpdatedAt: role.UpdatedAt,
	})
	if err != nil {
		return role, pg.Translate(err, domain.ErrNotFound, rules)
	}
	role.Version = version
	return role, pg.Translate(errors.Join(
		r.q.KeepParents(ctx, pg.DB(tx), role.ID, role.Parents),
		r.q.AddParents(ctx, pg.DB(tx), role.ID, role.Parents),
	), nil, rules)
}

// Replace implements domain.Repository.
func (r *Repository) Replace(ctx context.Context, tx uow.Tx, gone, by uuid.UUID) error {
	for _, step := range []func() error{
		func() error { return r.q.LockRole(ctx, pg.DB(tx), gone) },
		func() error { return r.q.CopyAssignments(ctx, pg.DB(tx), by, gone) },
		func() error { return r.q.DropAssignments(ctx, pg.DB(tx), gone) },
		func() error { return r.q.CopyParent(ctx, pg.DB(tx), by, gone) },
		func() error { return r.q.DropParent(ctx, pg.DB(tx), gone) },
	} {
		if err := step(); err != nil {
			return pg.Translate(err, nil, rules)
		}
	}
	return nil
}

// Delete implements domain.Repository.
func (r *Repository) Delete(ctx context.Context, tx uow.Tx, id uuid.UUID) error {
	if err := r.q.DropEnded(ctx, pg.DB(tx), id, r.clock.Now()); err != nil {
		return pg.Translate(err, nil, nil)
	}
	return pg.Translate(r.q.DeleteRole(ctx, pg.DB(tx), id), nil, rules)
}

// InsertPermission implements domain.Repository.
func (r *Repository) InsertPermission(ctx context.Context, tx uow.Tx, c domain.Custom) error {
	return pg.Translate(r.q.InsertCustomPermission(ctx, pg.DB(tx), rolesdb.InsertCustomPermissionParams(c)), nil, rules)
}

// DeletePermission implements domain.Repository.
func (r *Repository) DeletePermission(ctx context.Context, tx uow.Tx, name string) error {
	return pg.Translate(r.q.DeleteCustomPermission(ctx, pg.DB(tx), name), nil, nil)
}
