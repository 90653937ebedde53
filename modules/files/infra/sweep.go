package infra

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra/internal/filesdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/uow"
)

// ExpiredUploads implements domain.Ledger.
func (r *Repository) ExpiredUploads(ctx context.Context, tx uow.Tx, before time.Time, after domain.Due, limit int) ([]domain.Due, error) {
	rows, err := r.q.ExpiredUploads(ctx, pg.DB(tx), filesdb.ExpiredUploadsParams{
		AfterAt: after.Since, AfterID: after.ID, Before: before, MaxItems: int32(limit),
	})
	out := make([]domain.Due, len(rows))
	for i, row := range rows {
		out[i] = domain.Due{ID: row.FileID, Since: row.ExpiresAt}
	}
	return out, pg.Translate(err, nil, nil)
}

// ExpiredDeletions implements domain.Ledger.
func (r *Repository) ExpiredDeletions(ctx context.Context, tx uow.Tx, before time.Time, after domain.Due, limit int) ([]domain.Due, error) {
	rows, err := r.q.ExpiredDeletions(ctx, pg.DB(tx), filesdb.ExpiredDeletionsParams{
		AfterAt: after.Since, AfterID: after.ID, Before: before, MaxItems: int32(limit),
	})
	out := make([]domain.Due, len(rows))
	for i, row := range rows {
		out[i] = domain.Due{ID: row.ID, Since: orZero(row.DeletedAt)}
	}
	return out, pg.Translate(err, nil, nil)
}

// Stuck implements domain.Ledger.
func (r *Repository) Stuck(ctx context.Context, tx uow.Tx, before time.Time, after domain.Due, limit int) ([]domain.Due, error) {
	rows, err := r.q.StuckFiles(ctx, pg.DB(tx), filesdb.StuckFilesParams{
		AfterAt: after.Since, AfterID: after.ID, Before: before, MaxItems: int32(limit),
	})
	out := make([]domain.Due, len(rows))
	for i, row := range rows {
		out[i] = domain.Due{ID: row.ID, Since: row.UpdatedAt}
	}
	return out, pg.Translate(err, nil, nil)
}

// NamedObjects implements domain.Ledger.
func (r *Repository) NamedObjects(ctx context.Context, tx uow.Tx, after uuid.UUID, limit int) ([]domain.Named, error) {
	rows, err := r.q.NamedObjects(ctx, pg.DB(tx), domain.ReasonLost, after, int32(limit))
	out := make([]domain.Named, len(rows))
	for i, row := range rows {
		out[i] = domain.Named{Object: row.ObjectID, File: row.ID, Lost: row.Lost}
	}
	return out, pg.Translate(err, nil, nil)
}

// IsNamed implements domain.Ledger.
func (r *Repository) IsNamed(ctx context.Context, tx uow.Tx, object uuid.UUID) (bool, error) {
	named, err := r.q.ObjectIsNamed(ctx, pg.DB(tx), object)
	return named != nil && *named, pg.Translate(err, nil, nil)
}

// IsOpen implements domain.Ledger.
func (r *Repository) IsOpen(ctx context.Context, tx uow.Tx, object uuid.UUID, multipart string) (bool, error) {
	open, err := r.q.MultipartIsNamed(ctx, pg.DB(tx), object, multipart)
	return open, pg.Translate(err, nil, nil)
}

// Objects implements domain.Inventory.
func (c *Contents) Objects(ctx context.Context) iter.Seq2[domain.Found, error] {
	return func(yield func(domain.Found, error) bool) {
		for o, err := range c.blobs.List(ctx, c.tenant) {
			if foreign(ctx, err) {
				continue
			}
			if err != nil {
				yield(domain.Found{}, translate(err))
				return
			}
			if !yield(domain.Found{Object: o.Key.File(), Size: o.Size, Modified: o.Modified}, nil) {
				return
			}
		}
	}
}

// Unfinished implements domain.Inventory.
func (c *Contents) Unfinished(ctx context.Context) iter.Seq2[domain.Begun, error] {
	return func(yield func(domain.Begun, error) bool) {
		for u, err := range c.blobs.Unfinished(ctx, c.tenant) {
			if foreign(ctx, err) {
				continue
			}
			if err != nil {
				yield(domain.Begun{}, translate(err))
				return
			}
			if !yield(domain.Begun{Object: u.Key.File(), Multipart: u.Upload, At: u.Begun}, nil) {
				return
			}
		}
	}
}

// foreign reports an object that is none of ours: what is there is not ours to
// remove, and no reason to stop.
func foreign(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() == nil && !errors.Is(err, s3x.ErrUnavailable)
}
