// Package infra keeps files: what is known of them in the tenant's schema,
// their bytes in S3.
package infra

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra/internal/filesdb"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Repository implements domain.Repository.
type Repository struct{ q *filesdb.Queries }

// NewRepository makes a repository.
func NewRepository() *Repository { return &Repository{q: filesdb.New()} }

// Insert implements domain.Repository.
func (r *Repository) Insert(ctx context.Context, tx uow.Tx, f domain.File) error {
	return pg.Translate(r.q.InsertFile(ctx, pg.DB(tx), filesdb.InsertFileParams{
		ID: f.ID, Name: f.Name, Size: f.Size, ContentType: f.ContentType, Sha256: f.SHA256, Status: string(f.Status),
		ObjectID: optional(f.Object), OwnerID: f.OwnerID, Version: f.Version, CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt,
	}), nil, nil)
}

// Get implements domain.Repository.
func (r *Repository) Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.File, error) {
	row, err := r.q.GetFile(ctx, pg.DB(tx), id)
	return toFile(row), pg.Translate(err, domain.ErrNotFound, nil)
}

// Lock implements domain.Repository.
func (r *Repository) Lock(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.File, error) {
	row, err := r.q.LockFile(ctx, pg.DB(tx), id)
	return toFile(row), pg.Translate(err, domain.ErrNotFound, nil)
}

// List implements domain.Repository.
func (r *Repository) List(ctx context.Context, tx uow.Tx, s domain.Spec, p page.Request) (page.Page[domain.File], error) {
	from := p.From()
	rows, err := r.q.ListFiles(ctx, pg.DB(tx), filesdb.ListFilesParams{
		AfterAt: from.At, AfterID: from.ID, Status: optional(string(s.Status)), NamePrefix: optional(s.NamePrefix),
		MaxItems: int32(p.Limit) + 1,
	})
	if err != nil {
		return page.Page[domain.File]{}, pg.Translate(err, nil, nil)
	}
	all := make([]domain.File, len(rows))
	for i, row := range rows {
		all[i] = toFile(row)
	}
	return page.Cut(all, p.Limit, func(f domain.File) page.Position {
		return page.Position{At: f.CreatedAt, ID: f.ID}
	}), nil
}

// Update implements domain.Repository.
func (r *Repository) Update(ctx context.Context, tx uow.Tx, f domain.File) (domain.File, error) {
	n, err := r.q.UpdateFile(ctx, pg.DB(tx), filesdb.UpdateFileParams{
		ID: f.ID, ContentType: f.ContentType, Sha256: f.SHA256, Status: string(f.Status),
		ObjectID: optional(f.Object), UpdatedAt: f.UpdatedAt, Version: f.Version,
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
		return pg.Translate(err, nil, nil)
	}
	if _, err := r.Get(ctx, tx, id); err != nil {
		return err
	}
	return errs.ErrPreconditionFailed
}

func toFile(row filesdb.File) domain.File {
	f := domain.File{
		ID: row.ID, Name: row.Name, Size: row.Size, ContentType: row.ContentType, SHA256: row.Sha256,
		Status: domain.Status(row.Status), OwnerID: row.OwnerID, Version: row.Version,
		CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	if row.ObjectID != nil {
		f.Object = *row.ObjectID
	}
	return f
}

// optional is NULL for the zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
