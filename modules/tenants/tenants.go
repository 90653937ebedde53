// Package tenants is the contract of the tenants module: the registry of
// tenants and their life.
package tenants

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// What a tenant is, the platform knows; this module keeps the registry.
type (
	// Tenant is what a request must know of its tenant.
	Tenant = tenancy.Tenant
	// Kind tells the landlord from everybody else.
	Kind = tenancy.Kind
	// Status is where a tenant is in its life.
	Status = tenancy.Status
)

// The kinds, the statuses and the placement that there always is, under their
// names in this module.
const (
	Customer = tenancy.Customer
	Landlord = tenancy.Landlord

	Unfinished = tenancy.Provisioning
	Active     = tenancy.Active
	Suspended  = tenancy.Suspended
	Deleting   = tenancy.Deleting
	Erasing    = tenancy.Erasing

	MainPlacement = tenancy.MainPlacement
)

// Seeder puts a module's first rows into a new tenant's schema, in the
// transaction that makes it.
type Seeder interface {
	Seed(ctx context.Context, tx uow.Tx, t Tenant, adminEmail string) error
}

// Keeper is a module that keeps content in the object store, each piece under
// its tenant and an id of its own, and never changed.
type Keeper interface {
	// Objects lists what the rows of tx name, by id, after one of them.
	Objects(ctx context.Context, tx uow.Tx, after uuid.UUID, limit int) ([]Object, error)
	// Bytes is about how much it is.
	Bytes(ctx context.Context, tx uow.Tx) (int64, error)
}

// Object is one piece of content.
type Object struct {
	ID   uuid.UUID
	Size int64 // in bytes
	// Needed: a tenant without it is not whole. What was deleted may be taken
	// away for good at any time.
	Needed bool
}

// Settler puts right what rows mean once they have come into another schema,
// in the transaction that completes it.
type Settler interface {
	Settle(ctx context.Context, tx uow.Tx, now time.Time) error
}

// Provisioner brings registered tenants to life, and finishes what a crash
// interrupted.
type Provisioner interface {
	// Start begins to provision a registered tenant, or joins the work that is
	// under way, and returns a channel that yields its end.
	Start(id uuid.UUID) <-chan error
}

// Eraser erases tenants for which that was asked, and finishes what a crash
// interrupted.
type Eraser interface {
	// Start takes up the erasure of a tenant, or joins the work that is under
	// way, and returns a channel that yields its end.
	Start(id uuid.UUID) <-chan error
}
