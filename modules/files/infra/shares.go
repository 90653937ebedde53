package infra

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra/internal/filesdb"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// InsertShare implements domain.Shares.
func (r *Repository) InsertShare(ctx context.Context, tx uow.Tx, s domain.Share) error {
	return pg.Translate(r.q.InsertShare(ctx, pg.DB(tx), filesdb.InsertShareParams{
		ID: s.ID, FileID: s.FileID, TokenHash: s.Digest[:], SingleUse: s.SingleUse, Opened: s.Opened,
		CreatedBy: s.CreatedBy, CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt, RevokedAt: optional(s.RevokedAt),
	}), nil, nil)
}

// GetShare implements domain.Shares.
func (r *Repository) GetShare(ctx context.Context, tx uow.Tx, d secret.Digest) (domain.Share, error) {
	row, err := r.q.GetShareByToken(ctx, pg.DB(tx), d[:])
	return toShare(row), pg.Translate(err, domain.ErrShareNotFound, nil)
}

// LockShare implements domain.Shares.
func (r *Repository) LockShare(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.Share, error) {
	row, err := r.q.LockShare(ctx, pg.DB(tx), id)
	return toShare(row), pg.Translate(err, domain.ErrShareNotFound, nil)
}

// UpdateShare implements domain.Shares.
func (r *Repository) UpdateShare(ctx context.Context, tx uow.Tx, s domain.Share) error {
	return pg.Translate(r.q.UpdateShare(ctx, pg.DB(tx), s.Opened, optional(s.RevokedAt), s.ID), nil, nil)
}

// ListShares implements domain.Shares.
func (r *Repository) ListShares(ctx context.Context, tx uow.Tx, file uuid.UUID, p page.Request) (page.Page[domain.Share], error) {
	from := p.From()
	rows, err := r.q.ListShares(ctx, pg.DB(tx), filesdb.ListSharesParams{
		FileID: file, AfterAt: from.At, AfterID: from.ID, MaxItems: int32(p.Limit) + 1,
	})
	if err != nil {
		return page.Page[domain.Share]{}, pg.Translate(err, nil, nil)
	}
	shares := make([]domain.Share, len(rows))
	for i, row := range rows {
		shares[i] = toShare(row)
	}
	return page.Cut(shares, p.Limit, func(s domain.Share) page.Position {
		return page.Position{At: s.CreatedAt, ID: s.ID}
	}), nil
}

func toShare(row filesdb.FileShare) domain.Share {
	s := domain.Share{
		ID: row.ID, FileID: row.FileID, SingleUse: row.SingleUse, Opened: row.Opened, CreatedBy: row.CreatedBy,
		CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt, RevokedAt: orZero(row.RevokedAt),
	}
	copy(s.Digest[:], row.TokenHash)
	return s
}
