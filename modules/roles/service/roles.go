// Package service runs the operations on roles and makes access decisions.
package service

import (
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// Roles runs the operations on roles for one request.
type Roles struct {
	run       *op.Runner
	landlord  bool
	roles     domain.Repository
	catalogue *domain.Catalogue
	registry  *op.Registry
}

// NewRoles makes the service of one request.
func NewRoles(run *op.Runner, r scope.Request, roles domain.Repository, c *domain.Catalogue, registry *op.Registry) *Roles {
	return &Roles{run: run, landlord: r.Tenant.Kind == tenancy.Landlord, roles: roles, catalogue: c, registry: registry}
}

// effective shows as permissions what a role grants here and now.
func (s *Roles) effective(r domain.Role) domain.Role {
	r.Permissions = s.catalogue.Holds(r, s.landlord)
	return r
}
