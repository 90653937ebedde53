package domain

import (
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
)

// Deletion is a tenant that is deleted and can still be brought back.
type Deletion struct {
	TenantID   uuid.UUID
	Was        tenants.Status // before
	DeletedAt  time.Time
	EraseAfter time.Time // when the grace is over
}

// Delete takes a tenant away from everybody. Until the grace is over Undelete
// brings it back as it was.
func (t Tenant) Delete(grace time.Duration, now time.Time) (Tenant, Deletion, error) {
	if t.Kind == tenants.Landlord {
		return t, Deletion{}, ErrLandlordStays
	}
	if t.Status != tenants.Active && t.Status != tenants.Suspended {
		return t, Deletion{}, ErrStatus
	}
	d := Deletion{TenantID: t.ID, Was: t.Status, DeletedAt: now, EraseAfter: now.Add(grace)}
	t.Status, t.UpdatedAt = tenants.Deleting, now
	return t, d, nil
}

// Undelete brings a deleted tenant back as it was.
func (t Tenant) Undelete(d Deletion, now time.Time) (Tenant, error) {
	return t.move(tenants.Deleting, d.Was, now)
}
