package domain

import (
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
)

// BackupStatus is where a backup is in its life.
type BackupStatus string

// The statuses of a backup. Only a complete one can be restored.
const (
	BackupRunning  BackupStatus = "running"
	BackupComplete BackupStatus = "complete"
	BackupFailed   BackupStatus = "failed"
	BackupDeleting BackupStatus = "deleting"
)

// BackupReason is why a backup was made.
type BackupReason string

// The reasons. What the schedule made, the schedule takes away again.
const (
	ByRequest  BackupReason = "request"
	BySchedule BackupReason = "schedule"
)

// Backup is an archive of one tenant, or what is to become one.
type Backup struct {
	ID       uuid.UUID
	TenantID uuid.UUID
	// Slug, Name and AdminEmail are those of the tenant when it was made, which
	// may have others since.
	Slug, Name, AdminEmail string

	Status    BackupStatus
	Reason    BackupReason
	Object    uuid.UUID // names the archive in the object store
	Packed              // zero until it is complete
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Packed is what a finished archive holds.
type Packed struct {
	SchemaVersion int64
	Rows          int64
	Files         int64
	FileBytes     int64
	Size          int64  // of the archive, in bytes
	SHA256        string // of the archive
	At            time.Time
}

// BackupView is what the trail shows of a backup.
type BackupView struct {
	ID       uuid.UUID    `json:"id"`
	TenantID uuid.UUID    `json:"tenant_id"`
	Status   BackupStatus `json:"status"`
	Reason   BackupReason `json:"reason"`
	SHA256   string       `json:"sha256,omitempty"`
}

// View shows the backup without its internals.
func (b Backup) View() BackupView {
	return BackupView{ID: b.ID, TenantID: b.TenantID, Status: b.Status, Reason: b.Reason, SHA256: b.SHA256}
}

// NewBackup begins a backup of a tenant that is served or suspended. The
// operator's own tenant has none: it is nothing without the registry beside
// it, and is kept with the database.
func NewBackup(id, object uuid.UUID, t Tenant, reason BackupReason, now time.Time) (Backup, error) {
	if err := t.copyable(); err != nil {
		return Backup{}, err
	}
	return Backup{
		ID: id, TenantID: t.ID, Slug: t.Slug, Name: t.Name, AdminEmail: t.AdminEmail,
		Status: BackupRunning, Reason: reason, Object: object, Version: 1, CreatedAt: now, UpdatedAt: now,
	}, nil
}

// Delete begins to remove a backup that is not being made.
func (b Backup) Delete(now time.Time) (Backup, error) {
	if b.Status == BackupRunning {
		return b, ErrBusy
	}
	b.Status, b.UpdatedAt = BackupDeleting, now
	return b, nil
}

// Restorable returns ErrNotComplete for a backup that no tenant can be made of.
func (b Backup) Restorable() error {
	if b.Status != BackupComplete {
		return ErrNotComplete
	}
	return nil
}

// copyable reports whether all that a tenant has can be copied now.
func (t Tenant) copyable() error {
	switch {
	case t.Kind == tenants.Landlord:
		return ErrLandlordCopy
	case t.Status != tenants.Active && t.Status != tenants.Suspended:
		return ErrStatus
	}
	return nil
}
