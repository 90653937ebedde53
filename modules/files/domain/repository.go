package domain

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Repository keeps what is known of the files of a tenant.
type Repository interface {
	// Insert adds a file.
	Insert(ctx context.Context, tx uow.Tx, f File) error
	// Get finds a file; ErrNotFound.
	Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (File, error)
	// Lock is Get, and keeps others from changing the file until the end of
	// the unit of work. Who locks more than one file calls LockUsage first.
	Lock(ctx context.Context, tx uow.Tx, id uuid.UUID) (File, error)
	// LockCurrent locks what carries a name; ErrNotFound.
	LockCurrent(ctx context.Context, tx uow.Tx, folder, name string) (File, error)
	// LockLine locks all versions of a line, deleted ones included.
	LockLine(ctx context.Context, tx uow.Tx, line uuid.UUID) ([]File, error)
	// List pages through files, in the order of the spec.
	List(ctx context.Context, tx uow.Tx, s Spec, r page.Request) (page.Page[File], error)
	// Folders pages through the paths of the folders right inside one, by name.
	Folders(ctx context.Context, tx uow.Tx, parent string, r page.Request) (page.Page[string], error)
	// Versions pages through a line, newest first: through all of it, or with
	// an owner through what is theirs.
	Versions(ctx context.Context, tx uow.Tx, line, owner uuid.UUID, r page.Request) (page.Page[File], error)
	// Update stores the version given and returns the next one; ErrNotFound,
	// errs.ErrPreconditionFailed, ErrNameTaken. Id, size, owner and time of
	// creation do not change.
	Update(ctx context.Context, tx uow.Tx, f File) (File, error)
	// Delete removes the version given, and its upload; ErrNotFound,
	// errs.ErrPreconditionFailed.
	Delete(ctx context.Context, tx uow.Tx, f File) error
}

// Uploads keeps the uploads of a tenant, at most one for each file.
type Uploads interface {
	// InsertUpload adds one.
	InsertUpload(ctx context.Context, tx uow.Tx, u Upload) error
	// GetUpload finds the upload of a file; ErrFilled when there is none.
	GetUpload(ctx context.Context, tx uow.Tx, file uuid.UUID) (Upload, error)
	// UpdateUpload stores object, multipart, time of expiry and whether it
	// replaces; ErrFilled.
	UpdateUpload(ctx context.Context, tx uow.Tx, u Upload) error
	// DeleteUpload removes the upload of a file, if it has one.
	DeleteUpload(ctx context.Context, tx uow.Tx, file uuid.UUID) error
}

// Quota counts what the files of a tenant take up.
type Quota interface {
	// Reserve takes room for a file of a size; ErrQuota says what is left.
	Reserve(ctx context.Context, tx uow.Tx, size int64, p Policy) error
	// Release gives back the room of a file.
	Release(ctx context.Context, tx uow.Tx, size int64) error
	// Usage is what is taken.
	Usage(ctx context.Context, tx uow.Tx) (Usage, error)
	// LockUsage makes others who change several files wait for the end of the
	// unit of work.
	LockUsage(ctx context.Context, tx uow.Tx) error
}

// Keeper is everything that is kept in a tenant's schema.
type Keeper interface {
	Repository
	Uploads
	Quota
	Ledger
	Shares
}
