// Package service runs the operations on roles and permissions and makes
// access decisions.
package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Standings tells, quickly, what the roles of a tenant give and who has them.
// Version is that of the policy which the caller was let in with; the answer
// is of that version or of a newer one.
type Standings interface {
	Policy(ctx context.Context, tx uow.Tx, t tenancy.Tenant, version int64) (*domain.Policy, error)
	// Standing also gives what each of the users may do, in the form that
	// decisions are made from.
	Standing(ctx context.Context, tx uow.Tx, t tenancy.Tenant, version int64, users []uuid.UUID) (domain.Standing, map[uuid.UUID]*authn.Grants, error)
}

// Roles runs the operations on roles and permissions for one request.
type Roles struct {
	run       *op.Runner
	scope     scope.Request
	roles     domain.Repository
	standings Standings
	people    users.Standing
	keys      users.KeyScopes
	registry  *op.Registry
	clock     clock.Clock
	ids       id.Source
}

// NewRoles makes the service of one request.
func NewRoles(run *op.Runner, r scope.Request, roles domain.Repository, s Standings, people users.Standing, keys users.KeyScopes, registry *op.Registry, c clock.Clock, ids id.Source) *Roles {
	return &Roles{run: run, scope: r, roles: roles, standings: s, people: people, keys: keys, registry: registry, clock: c, ids: ids}
}

// Shown is a role as people see it.
type Shown struct {
	domain.Role
	Entries     []string // what somebody chose for it; all that it grants when it is built in
	Unknown     []string // entries that stand for nothing here and grant nothing
	ParentNames []string
	Grants      []string // all that it grants here and now, parents included
}

func show(p *domain.Policy, r domain.Role) Shown {
	s := Shown{Role: r, Entries: r.Entries(), Unknown: p.Unknown(r), ParentNames: p.ParentNames(r), Grants: p.Grants(r.ID)}
	if r.BuiltIn {
		s.Entries = s.Grants
	}
	return s
}

// landlord reports whether this is the operator's tenant.
func (s *Roles) landlord() bool { return s.scope.Tenant.Kind == tenancy.Landlord }

// current is the policy that the caller was let in with.
func (s *Roles) current(ctx context.Context, tx uow.Tx) (*domain.Policy, error) {
	return s.standings.Policy(ctx, tx, s.scope.Tenant, s.scope.Caller.Policy)
}
