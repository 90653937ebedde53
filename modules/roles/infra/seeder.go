package infra

import (
	"context"
	"fmt"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra/internal/rolesdb"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Seeder implements tenants.Seeder: it gives a new tenant the built-in roles
// and the first version of its policy. It runs before modules that assign
// roles.
type Seeder struct {
	q     *rolesdb.Queries
	clock clock.Clock
	ids   id.Source
}

// NewSeeder makes the seeder of a process.
func NewSeeder(c clock.Clock, ids id.Source) *Seeder {
	return &Seeder{q: rolesdb.New(), clock: c, ids: ids}
}

// Seed implements tenants.Seeder.
func (s *Seeder) Seed(ctx context.Context, tx uow.Tx, _ tenancy.Tenant, _ string) error {
	now := s.clock.Now()
	for _, b := range domain.BuiltIns() {
		err := s.q.InsertRole(ctx, pg.DB(tx), rolesdb.InsertRoleParams{
			ID: s.ids.New(), Name: b.Name, Description: b.Description, BuiltIn: true,
			Permissions: []string{}, CustomPermissions: []string{}, CreatedAt: now,
		})
		if err != nil {
			return fmt.Errorf("add the role %s: %w", b.Name, pg.Translate(err, nil, nil))
		}
	}
	if err := s.q.AdvancePolicy(ctx, pg.DB(tx)); err != nil {
		return fmt.Errorf("begin the policy: %w", pg.Translate(err, nil, nil))
	}
	return nil
}
