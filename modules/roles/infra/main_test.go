package infra_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
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
	catalogue, _ = infra.NewCatalogue(op.NewRegistry([]op.Def{
		op.Read("files.list", "List."), op.Write("files.create", "Create."), op.Read("users.list", "List."),
		op.Write("users.create", "Create."), op.Read("audit.events.list", "List.", op.Recorded),
		op.Write("tenants.create", "Create.", op.Landlord), op.Read("me.get", "Me.", op.SignedIn),
		op.Read("auth.login", "Login.", op.Public("for the test")), op.Job("files.sweep", "Sweep."),
	}), nil)
	assignments = infra.NewAssignments(catalogue, standing, clock.System{})
	standing    = &gone{}
	resolver, _ = infra.NewResolver(catalogue, clock.System{})
)

// gone stands for the users module: everybody is active but those who left.
type gone struct{ sync.Map }

func (g *gone) AnyActive(_ context.Context, _ uow.Tx, ids []uuid.UUID) (bool, error) {
	return slices.ContainsFunc(ids, func(id uuid.UUID) bool {
		_, left := g.Load(id)
		return !left
	}), nil
}

func (g *gone) Active(_ context.Context, _ uow.Tx, ids []uuid.UUID) ([]uuid.UUID, error) {
	return slices.DeleteFunc(slices.Clone(ids), func(id uuid.UUID) bool {
		_, left := g.Load(id)
		return left
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
func addRole(t *testing.T, f pgtest.Fixture, name string, permissions ...string) uuid.UUID {
	t.Helper()
	r := domain.Role{
		ID: id.System{}.New(), Name: name, Permissions: append([]string{}, permissions...), CustomPermissions: []string{},
		CreatedAt: clock.System{}.Now(),
	}
	changeRoles(t, f, func(tx uow.Tx, roles *infra.Repository) error { return roles.Insert(t.Context(), tx, r) })
	return r.ID
}

// changeRoles makes the next version of the policy.
func changeRoles(t *testing.T, f pgtest.Fixture, change func(uow.Tx, *infra.Repository) error) {
	t.Helper()
	repository := infra.NewRepository(catalogue, clock.System{})
	f.Write(t, func(tx uow.Tx) error {
		if _, err := repository.Advance(t.Context(), tx, false); err != nil {
			return err
		}
		return change(tx, repository)
	})
}

// versionOf is the version of the tenant's policy.
func versionOf(t *testing.T, f pgtest.Fixture) int64 {
	t.Helper()
	var p *domain.Policy
	f.Read(t, func(tx uow.Tx) (err error) {
		p, err = infra.NewRepository(catalogue, clock.System{}).Policy(t.Context(), tx, false)
		return err
	})
	return p.Version
}

// dropAssignments removes a user's roles behind the module's back.
func dropAssignments(t *testing.T, f pgtest.Fixture, user uuid.UUID) {
	t.Helper()
	f.Write(t, func(tx uow.Tx) error {
		_, err := pg.DB(tx).Exec(t.Context(), `DELETE FROM user_roles WHERE user_id = $1`, user)
		return err
	})
}
