// Package infra keeps files: what is known of them in the tenant's schema,
// their bytes in S3.
package infra

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra/internal/filesdb"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Repository implements domain.Keeper.
type Repository struct{ q *filesdb.Queries }

// NewRepository makes a repository.
func NewRepository() *Repository { return &Repository{q: filesdb.New()} }

// rules names the error behind each constraint.
var rules = pg.Rules{"files_current_key": domain.ErrNameTaken}

// Insert implements domain.Repository.
func (r *Repository) Insert(ctx context.Context, tx uow.Tx, f domain.File) error {
	metadata, err := json.Marshal(orEmpty(f.Metadata))
	if err != nil {
		return err
	}
	return pg.Translate(r.q.InsertFile(ctx, pg.DB(tx), filesdb.InsertFileParams{
		ID: f.ID, LineID: f.Line, Folder: f.Folder, Name: f.Name, Size: f.Size, ContentType: f.ContentType, Sha256: f.SHA256,
		Status: string(f.Status), Reason: f.Reason, ObjectID: optional(f.Object), Metadata: metadata, OwnerID: f.OwnerID,
		Version: f.Version, CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt,
		SupersededAt: optional(f.Superseded), DeletedAt: optional(f.DeletedAt),
	}), nil, rules)
}

// Get implements domain.Repository.
func (r *Repository) Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.File, error) {
	row, err := r.q.GetFile(ctx, pg.DB(tx), id)
	return one(row, err)
}

// Lock implements domain.Repository.
func (r *Repository) Lock(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.File, error) {
	row, err := r.q.LockFile(ctx, pg.DB(tx), id)
	return one(row, err)
}

// LockCurrent implements domain.Repository.
func (r *Repository) LockCurrent(ctx context.Context, tx uow.Tx, folder, name string) (domain.File, error) {
	row, err := r.q.LockCurrentFile(ctx, pg.DB(tx), folder, name)
	return one(row, err)
}

// LockLine implements domain.Repository.
func (r *Repository) LockLine(ctx context.Context, tx uow.Tx, line uuid.UUID) ([]domain.File, error) {
	rows, err := r.q.LockLine(ctx, pg.DB(tx), line)
	return all(rows), pg.Translate(err, nil, nil)
}

// Versions implements domain.Repository.
func (r *Repository) Versions(ctx context.Context, tx uow.Tx, line, owner uuid.UUID, p page.Request) (page.Page[domain.File], error) {
	from := p.From()
	rows, err := r.q.ListVersions(ctx, pg.DB(tx), filesdb.ListVersionsParams{
		LineID: line, OwnerID: optional(owner), AfterAt: from.At, AfterID: from.ID, MaxItems: int32(p.Limit) + 1,
	})
	return cut(rows, err, p.Limit, byTime)
}

// Update implements domain.Repository.
func (r *Repository) Update(ctx context.Context, tx uow.Tx, f domain.File) (domain.File, error) {
	metadata, err := json.Marshal(orEmpty(f.Metadata))
	if err != nil {
		return f, err
	}
	n, err := r.q.UpdateFile(ctx, pg.DB(tx), filesdb.UpdateFileParams{
		ID: f.ID, LineID: f.Line, Folder: f.Folder, Name: f.Name, ContentType: f.ContentType, Sha256: f.SHA256, Status: string(f.Status),
		Reason: f.Reason, ObjectID: optional(f.Object), Metadata: metadata, UpdatedAt: f.UpdatedAt, Version: f.Version,
		SupersededAt: optional(f.Superseded), DeletedAt: optional(f.DeletedAt),
	})
	if err := r.hit(ctx, tx, f.ID, n, err); err != nil {
		return f, err
	}
	f.Version++
	return f, nil
}

// Delete implements domain.Repository.
func (r *Repository) Delete(ctx context.Context, tx uow.Tx, f domain.File) error {
	n, err := r.q.DeleteFile(ctx, pg.DB(tx), f.ID, f.Version)
	return r.hit(ctx, tx, f.ID, n, err)
}

// hit explains why a statement for one version of a file changed no row.
func (r *Repository) hit(ctx context.Context, tx uow.Tx, id uuid.UUID, rows int64, err error) error {
	if err != nil || rows > 0 {
		return pg.Translate(err, nil, rules)
	}
	if _, err := r.Get(ctx, tx, id); err != nil {
		return err
	}
	return errs.ErrPreconditionFailed
}

func one(row filesdb.File, err error) (domain.File, error) {
	if err != nil {
		return domain.File{}, pg.Translate(err, domain.ErrNotFound, nil)
	}
	return toFile(row), nil
}

func all(rows []filesdb.File) []domain.File {
	files := make([]domain.File, len(rows))
	for i, row := range rows {
		files[i] = toFile(row)
	}
	return files
}

func toFile(row filesdb.File) domain.File {
	f := domain.File{
		ID: row.ID, Line: row.LineID, Folder: row.Folder, Name: row.Name, Size: row.Size, ContentType: row.ContentType, SHA256: row.Sha256,
		Status: domain.Status(row.Status), Reason: row.Reason, Object: orZero(row.ObjectID), OwnerID: row.OwnerID, Version: row.Version,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt, Superseded: orZero(row.SupersededAt), DeletedAt: orZero(row.DeletedAt),
	}
	// What stands there was checked on its way in; what somebody else has put
	// there shows as nothing.
	_ = json.Unmarshal(row.Metadata, &f.Metadata)
	if len(f.Metadata) == 0 {
		f.Metadata = nil
	}
	return f
}

// orEmpty is an object also when there are no notes.
func orEmpty(m domain.Metadata) domain.Metadata {
	if m == nil {
		return domain.Metadata{}
	}
	return m
}

// optional is NULL for the zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// orZero is the zero value for NULL.
func orZero[T any](v *T) T {
	if v == nil {
		var zero T
		return zero
	}
	return *v
}
