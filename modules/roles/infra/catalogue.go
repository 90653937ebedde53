// Package infra keeps roles and who has them in the tenant's schema.
package infra

import (
	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/op"
)

// Product is the product's own permissions, from the configuration.
type Product []domain.Custom

// NewCatalogue makes the catalogue of what roles can hold from the operations
// of all modules and from the product's own permissions. It returns an error
// that names a permission which cannot stand beside the operations.
func NewCatalogue(registry *op.Registry, product Product) (*domain.Catalogue, error) {
	var operations []domain.Operation
	var modules []string
	for _, d := range registry.All() {
		modules = append(modules, d.Module())
		if d.Grantable() {
			operations = append(operations, domain.Operation{
				Name: d.Name, Module: d.Module(), Changes: d.Writes, Landlord: d.Guard == op.ByLandlord,
			})
		}
	}
	return domain.NewCatalogue(operations, modules, product)
}
