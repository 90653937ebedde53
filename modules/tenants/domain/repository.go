package domain

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Spec selects tenants of a list.
type Spec struct {
	Status tenants.Status // empty for every status
}

// Matches is the rule that the list query implements.
func (s Spec) Matches(t Tenant) bool { return s.Status == "" || s.Status == t.Status }

// Repository keeps the registry in the control schema. Its Tx is the
// landlord's, or the control schema's own.
type Repository interface {
	// Insert adds a tenant; ErrSlugTaken, ErrLandlordTaken.
	Insert(ctx context.Context, tx uow.Tx, t Tenant) error
	// Get finds a tenant; ErrNotFound.
	Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (Tenant, error)
	// Lock is Get, and keeps others from changing the tenant until the end of
	// the unit of work.
	Lock(ctx context.Context, tx uow.Tx, id uuid.UUID) (Tenant, error)
	// List pages through tenants, newest first.
	List(ctx context.Context, tx uow.Tx, s Spec, r page.Request) (page.Page[Tenant], error)
	// Update stores name and status of the version given and returns the next
	// version; ErrNotFound, errs.ErrPreconditionFailed. The placement that houses
	// the tenant has them before they are committed; it must answer.
	Update(ctx context.Context, tx uow.Tx, t Tenant) (Tenant, error)
	// Frozen reports whether the fleet is frozen.
	Frozen(ctx context.Context, tx uow.Tx) (bool, error)
	// Activate marks a provisioned tenant as active.
	Activate(ctx context.Context, tx uow.Tx, t Tenant) error

	// Delete notes that a tenant was deleted.
	Delete(ctx context.Context, tx uow.Tx, d Deletion) error
	// EndDeletion takes the note of a deleted tenant away; ErrStatus when there
	// is none.
	EndDeletion(ctx context.Context, tx uow.Tx, tenant uuid.UUID) (Deletion, error)

	// Begin adds long work.
	Begin(ctx context.Context, tx uow.Tx, o Operation) error
	// Operation finds long work; ErrNoOperation.
	Operation(ctx context.Context, tx uow.Tx, id uuid.UUID) (Operation, error)
	// Progress updates the running work of a kind on a tenant.
	Progress(ctx context.Context, tx uow.Tx, o Operation) error

	// Copying lists the copies of a tenant's rows that are under way, and of its
	// archives.
	Copying(ctx context.Context, tx uow.Tx, tenant uuid.UUID) ([]CopyKind, error)

	// BeginErasure adds an erasure.
	BeginErasure(ctx context.Context, tx uow.Tx, e Erasure) error
	// KeepReceipt adds a receipt and reports false when there is one of this
	// tenant already, which stays.
	KeepReceipt(ctx context.Context, tx uow.Tx, r SignedReceipt) (bool, error)
	// Receipt finds the signed note of a receipt; ErrNoReceipt.
	Receipt(ctx context.Context, tx uow.Tx, tenant uuid.UUID) (string, error)
}

// Backups keeps backups, and the work of copying tenants, in the control
// schema. Its Tx is as that of Repository.
type Backups interface {
	// InsertBackup adds a backup; ErrBusy while another of the tenant is being
	// made.
	InsertBackup(ctx context.Context, tx uow.Tx, b Backup) error
	// Backup finds a backup of a tenant; ErrNoBackup.
	Backup(ctx context.Context, tx uow.Tx, tenant, id uuid.UUID) (Backup, error)
	// LockBackup is Backup, and keeps others from changing or using it until
	// the end of the unit of work.
	LockBackup(ctx context.Context, tx uow.Tx, tenant, id uuid.UUID) (Backup, error)
	// ListBackups pages through the backups of a tenant, newest first.
	ListBackups(ctx context.Context, tx uow.Tx, tenant uuid.UUID, r page.Request) (page.Page[Backup], error)
	// Scheduled lists the newest of a tenant's backups that the schedule made,
	// newest first: more than are ever kept.
	Scheduled(ctx context.Context, tx uow.Tx, tenant uuid.UUID) ([]Backup, error)
	// UpdateBackup stores the status of the version given and returns the next
	// version; errs.ErrPreconditionFailed.
	UpdateBackup(ctx context.Context, tx uow.Tx, b Backup) (Backup, error)
	// InsertCopy adds work; ErrBusy while other work makes the same tenant.
	InsertCopy(ctx context.Context, tx uow.Tx, c Copy) error
	// InUse reports whether a backup is being restored.
	InUse(ctx context.Context, tx uow.Tx, backup uuid.UUID) (bool, error)
}
