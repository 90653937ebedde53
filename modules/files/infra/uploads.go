package infra

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra/internal/filesdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// InsertUpload implements domain.Uploads.
func (r *Repository) InsertUpload(ctx context.Context, tx uow.Tx, u domain.Upload) error {
	return pg.Translate(r.q.InsertUpload(ctx, pg.DB(tx), filesdb.InsertUploadParams{
		FileID: u.FileID, ObjectID: u.Object, Method: string(u.Method), PartSize: u.PartSize, MultipartID: u.Multipart,
		Sha256: u.SHA256, ExpiresAt: u.ExpiresAt, Replaces: u.Replaces,
	}), nil, nil)
}

// GetUpload implements domain.Uploads.
func (r *Repository) GetUpload(ctx context.Context, tx uow.Tx, file uuid.UUID) (domain.Upload, error) {
	row, err := r.q.GetUpload(ctx, pg.DB(tx), file)
	if err != nil {
		return domain.Upload{}, pg.Translate(err, domain.ErrFilled, nil)
	}
	return domain.Upload{
		FileID: row.FileID, Object: row.ObjectID, Method: domain.Method(row.Method), PartSize: row.PartSize,
		Multipart: row.MultipartID, SHA256: row.Sha256, ExpiresAt: row.ExpiresAt, Replaces: row.Replaces,
	}, nil
}

// UpdateUpload implements domain.Uploads.
func (r *Repository) UpdateUpload(ctx context.Context, tx uow.Tx, u domain.Upload) error {
	n, err := r.q.UpdateUpload(ctx, pg.DB(tx), filesdb.UpdateUploadParams{
		FileID: u.FileID, ObjectID: u.Object, MultipartID: u.Multipart, ExpiresAt: u.ExpiresAt, Replaces: u.Replaces,
	})
	if err == nil && n == 0 {
		return domain.ErrFilled
	}
	return pg.Translate(err, nil, nil)
}

// DeleteUpload implements domain.Uploads.
func (r *Repository) DeleteUpload(ctx context.Context, tx uow.Tx, file uuid.UUID) error {
	return pg.Translate(r.q.DeleteUpload(ctx, pg.DB(tx), file), nil, nil)
}
