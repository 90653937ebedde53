package infra_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/infra"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pgtest"
	"github.com/insulahq/insula/platform/uow"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var (
	catalogue = infra.NewCatalogue(op.NewRegistry([]op.Def{
		op.Read("files.list", "List."), op.Write("files.create", "Create."), op.Read("users.list", "List."),
		op.Write("users.create", "Create."), op.Read("audit.events.list", "List.", op.Recorded),
		op.Write("tenants.create", "Create.", op.Landlord), op.Read("me.get", "Me.", op.SignedIn),
		op.Read("auth.login", "Login.", op.Public("for the test")), op.Job("files.sweep", "Sweep."),
	}))
	assignments = infra.NewAssignments(catalogue, standing)
	standing    = &gone{}
	resolver    = infra.NewResolver(catalogue)
)

// gone stands for the users module: everybody is active but those who left.
type gone struct{ sync.Map }

func (g *gone) AnyActive(_ context.Context, _ uow.Tx, ids []uuid.UUID) (bool, error) {
	return slices.ContainsFunc(ids, func(id uuid.UUID) bool {
		_, left := g.Load(id)
		return !left
	}), nil
}

// tenant has the built-in roles.
func tenant(t *testing.T) pgtest.Fixture {
	t.Helper()
	f := pgtest.Tenant(t)
	f.Write(t, func(tx uow.Tx) error {
		return infra.NewSeeder(clock.System{}, id.System{}).Seed(t.Context(), tx, f.Tenant, "")
	})
	return f
}

// addRole makes a role of the tenant's own.
func addRole(t *testing.T, f pgtest.Fixture, name string, permissions ...string) {
	t.Helper()
	f.Write(t, func(tx uow.Tx) error {
		now := clock.System{}.Now()
		_, err := pg.DB(tx).Exec(t.Context(), `INSERT INTO roles (id, name, description, built_in, permissions, version, created_at, updated_at)
			VALUES ($1, $2, '', false, $3, 1, $4, $4)`, id.System{}.New(), name, permissions, now)
		return err
	})
}

// dropAssignments removes a user's roles behind the module's back.
func dropAssignments(t *testing.T, f pgtest.Fixture, user uuid.UUID) {
	t.Helper()
	f.Write(t, func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(t.Context(), `DELETE FROM user_roles WHERE user_id = $1`, user)
		return err
	})
}
