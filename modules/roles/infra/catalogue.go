// Package infra keeps roles and who has them in the tenant's schema.
package infra

import (
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/op"
)

// NewCatalogue makes the catalogue of what roles can hold from the operations
// of all modules.
func NewCatalogue(registry *op.Registry) *domain.Catalogue {
	defs := registry.Grantable()
	operations := make([]domain.Operation, len(defs))
	for i, d := range defs {
		operations[i] = domain.Operation{
			Name: d.Name, Module: d.Module(), Changes: d.Writes, Landlord: d.Guard == op.ByLandlord,
		}
	}
	return domain.NewCatalogue(operations)
}
