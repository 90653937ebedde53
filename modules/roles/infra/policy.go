package infra

import (
	"context"
	"fmt"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra/internal/rolesdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// readPolicy works out what all roles of a tenant give. The version is read
// with the roles and before the permissions, so that nothing it names is older
// than it says; something may be newer, which the next version then repeats.
func readPolicy(ctx context.Context, tx uow.Tx, q *rolesdb.Queries, c *domain.Catalogue, landlord bool) (*domain.Policy, error) {
	rows, err := q.PolicyRoles(ctx, pg.DB(tx))
	if err != nil {
		return nil, fmt.Errorf("read the roles: %w", pg.Translate(err, nil, nil))
	}
	var version int64
	all := make([]domain.Role, len(rows))
	for i, r := range rows {
		version = r.PolicyVersion
		all[i] = domain.Role{
			ID: r.ID, Name: r.Name, Description: r.Description, BuiltIn: r.BuiltIn, Permissions: r.Permissions,
			CustomPermissions: r.CustomPermissions, Parents: r.Parents, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		}
	}
	own, err := q.CustomPermissions(ctx, pg.DB(tx))
	if err != nil {
		return nil, fmt.Errorf("read the tenant's own permissions: %w", pg.Translate(err, nil, nil))
	}
	custom := make([]domain.Custom, len(own))
	for i, p := range own {
		custom[i] = domain.Custom(p)
	}
	return c.Compile(version, landlord, all, custom), nil
}
