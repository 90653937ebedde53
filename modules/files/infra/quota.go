package infra

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/infra/internal/filesdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// wholeTenant is the scope that counts every file of the tenant.
const wholeTenant = "tenant"

// Reserve implements domain.Quota.
func (r *Repository) Reserve(ctx context.Context, tx uow.Tx, size int64, p domain.Policy) error {
	for range 2 { // the second time with the row that the first did not find
		_, err := r.q.ReserveUsage(ctx, pg.DB(tx), filesdb.ReserveUsageParams{
			Scope: wholeTenant, Bytes: size, MaxBytes: p.QuotaBytes, MaxFiles: p.QuotaFiles,
		})
		if !errors.Is(err, pgx.ErrNoRows) {
			return pg.Translate(err, nil, nil)
		}
		taken, err := r.q.GetUsage(ctx, pg.DB(tx), wholeTenant)
		if err == nil {
			return exceeded(domain.Usage{Bytes: taken.Bytes, Files: taken.Files}, p)
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return pg.Translate(err, nil, nil)
		}
		if err := r.q.BeginUsage(ctx, pg.DB(tx), wholeTenant); err != nil {
			return pg.Translate(err, nil, nil)
		}
	}
	return exceeded(domain.Usage{}, p)
}

// exceeded refuses and says what is left.
func exceeded(taken domain.Usage, p domain.Policy) error {
	left := taken.Left(p)
	return domain.ErrQuota.At("#/size", fmt.Sprintf("there is room for %d bytes in %d files", left.Bytes, left.Files))
}

// Release implements domain.Quota.
func (r *Repository) Release(ctx context.Context, tx uow.Tx, size int64) error {
	n, err := r.q.ReleaseUsage(ctx, pg.DB(tx), size, wholeTenant)
	if err == nil && n == 0 {
		return errors.New("room was given back that nobody had taken")
	}
	return pg.Translate(err, nil, nil)
}

// Usage implements domain.Quota.
func (r *Repository) Usage(ctx context.Context, tx uow.Tx) (domain.Usage, error) {
	taken, err := r.q.GetUsage(ctx, pg.DB(tx), wholeTenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return domain.Usage{}, nil // nobody has declared a file yet
	}
	return domain.Usage{Bytes: taken.Bytes, Files: taken.Files}, pg.Translate(err, nil, nil)
}

// LockUsage implements domain.Quota.
func (r *Repository) LockUsage(ctx context.Context, tx uow.Tx) error {
	_, err := r.q.LockUsage(ctx, pg.DB(tx), wholeTenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // no file, nothing to order
	}
	return pg.Translate(err, nil, nil)
}
