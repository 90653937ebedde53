package service

import (
	"context"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/uow"
)

// The declarations of working with what roles are made of.
var (
	ListPermissions  = op.Read("permissions.list", "List the permissions that roles of the tenant can hold.")
	CreatePermission = op.Write("permissions.create", "Register a permission of the tenant's own.", op.About("permission"))
	DeletePermission = op.Write("permissions.delete", "Withdraw a permission of the tenant's own.", op.About("permission"))
)

// Origin is where a permission comes from.
type Origin string

// The origins.
const (
	FromOperation Origin = "operation" // opens an operation of the binary
	FromProduct   Origin = "product"   // registered in the configuration
	FromTenant    Origin = "tenant"    // registered by the tenant
)

// Permission is something that a role of this tenant can hold.
type Permission struct {
	domain.Custom
	Origin    Origin
	Operation op.Def // behind a permission of origin FromOperation
}

// Permissions lists what a role of this tenant can hold: operations by name,
// then the product's own permissions, then the tenant's.
func (s *Roles) Permissions(ctx context.Context) ([]Permission, error) {
	return op.Do(ctx, s.run, ListPermissions, func(tx uow.Tx) ([]Permission, error) {
		policy, err := s.current(ctx, tx)
		if err != nil {
			return nil, err
		}
		var here []Permission
		for _, d := range s.registry.Grantable() {
			if s.landlord() || d.Guard != op.ByLandlord {
				custom := domain.Custom{Name: d.Name, Summary: d.Summary, OwnerToo: d.OwnerToo}
				here = append(here, Permission{Custom: custom, Origin: FromOperation, Operation: d})
			}
		}
		for _, c := range policy.Product() {
			here = append(here, Permission{Custom: c, Origin: FromProduct})
		}
		for _, c := range policy.Own() {
			here = append(here, Permission{Custom: c, Origin: FromTenant})
		}
		return here, nil
	})
}

// Register adds a permission of the tenant's own. Roles can hold it at once,
// owners and administrators do; Insula itself opens nothing by it.
func (s *Roles) Register(ctx context.Context, c domain.Custom) (Permission, error) {
	return op.Do(ctx, s.run, CreatePermission, func(tx uow.Tx) (Permission, error) {
		policy, err := s.roles.Advance(ctx, tx, s.landlord())
		if err != nil {
			return Permission{}, err
		}
		made, err := policy.Register(c, s.clock.Now())
		if err != nil {
			return Permission{}, err
		}
		tx.Trail().On("permission", made.Name, made.Name)
		tx.Trail().Changed(nil, made.View())
		return Permission{Custom: made, Origin: FromTenant}, s.roles.InsertPermission(ctx, tx, made)
	})
}

// Withdraw removes a permission of the tenant's own that no role names.
func (s *Roles) Withdraw(ctx context.Context, name string) error {
	_, err := op.Do(ctx, s.run, DeletePermission.On(name), func(tx uow.Tx) (struct{}, error) {
		policy, err := s.roles.Advance(ctx, tx, s.landlord())
		if err != nil {
			return struct{}{}, err
		}
		c, err := policy.Withdraw(name)
		if err != nil {
			return struct{}{}, err
		}
		tx.Trail().On("permission", name, name)
		tx.Trail().Changed(c.View(), nil)
		return struct{}{}, s.roles.DeletePermission(ctx, tx, name)
	})
	return err
}
