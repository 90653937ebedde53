// Package rolesmodule has the provider sets of the roles module.
package rolesmodule

import (
	"strings"

	"github.com/google/wire"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra"
	"github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/gate"
	"github.com/insulahq/insula/platform/op"
)

// Process lives as long as the process.
var Process = wire.NewSet(
	NewProduct, infra.NewCatalogue,
	infra.NewSeeder, infra.NewSettler,
	service.NewDecider, wire.Bind(new(op.Decider), new(service.Decider)),
	infra.NewResolver, wire.Bind(new(gate.Resolver), new(*infra.Resolver)), wire.Bind(new(service.Standings), new(*infra.Resolver)),
	infra.NewAssignments, wire.Bind(new(roles.Assignments), new(*infra.Assignments)),
)

// Request lives as long as a request. It takes the catalogue, the resolver,
// the registry and the runner.
var Request = wire.NewSet(
	infra.NewRepository, wire.Bind(new(domain.Repository), new(*infra.Repository)),
	service.NewRoles,
)

// NewProduct reads the product's own permissions from the configuration, whose
// form has been checked.
func NewProduct(c config.Roles) infra.Product {
	var product infra.Product
	for entry := range strings.SplitSeq(c.Permissions, ";") {
		name, summary, declared := strings.Cut(entry, "=")
		if declared {
			name, owner := strings.CutSuffix(name, ":owner")
			product = append(product, domain.Custom{Name: name, Summary: summary, OwnerToo: owner})
		}
	}
	return product
}
