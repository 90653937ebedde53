package pg

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg/internal/pgdb"
	"github.com/insulahq/insula/platform/uow"
)

// keyLife is how long a result is kept for a client that did not hear it.
const keyLife = 24 * time.Hour

// keyWait bounds how long a request waits for another with the same key.
const keyWait = "500ms"

// Retries implements op.Retries.
type Retries struct{ q *pgdb.Queries }

// NewRetries makes the store.
func NewRetries() *Retries { return &Retries{q: pgdb.New()} }

// Begin implements op.Retries.
func (r *Retries) Begin(ctx context.Context, tx uow.Tx, c op.Claim) ([]byte, bool, error) {
	db := DB(tx)
	share, err := r.q.BoundLockWait(ctx, db, keyWait) // what the tenant's share says
	if err != nil {
		return nil, false, err
	}
	taken, err := r.q.ClaimKey(ctx, db, pgdb.ClaimKeyParams{
		CallerID: c.CallerID, Key: c.Key, Fingerprint: c.Fingerprint, ExpiresAt: c.Now.Add(keyLife), Now: c.Now,
	})
	if waitedForRow(err) {
		return nil, false, op.ErrKeyRunning.Because(err)
	}
	if err != nil {
		return nil, false, err
	}
	if _, err := r.q.BoundLockWait(ctx, db, share); err != nil {
		return nil, false, err
	}
	if taken == 1 {
		return nil, false, r.q.PurgeKeys(ctx, db, c.Now)
	}
	kept, err := r.q.KeyResult(ctx, db, c.CallerID, c.Key)
	if err != nil {
		return nil, false, err
	}
	if !bytes.Equal(kept.Fingerprint, c.Fingerprint) {
		return nil, false, op.ErrKeyReused
	}
	return kept.Result, true, nil
}

// waitedForRow reports that somebody else holds the key. That the table could
// not be had, as while a tenant is moved, is nobody's request: the server tells
// the two apart by saying what it was doing, which it says only of rows.
func waitedForRow(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == lockTimeout && pe.Where != ""
}

// Release implements op.Retries.
func (r *Retries) Release(ctx context.Context, tx uow.Tx, c op.Claim) error {
	return r.q.ReleaseKey(ctx, DB(tx), c.CallerID, c.Key)
}

// Finish implements op.Retries.
func (r *Retries) Finish(ctx context.Context, tx uow.Tx, c op.Claim, result []byte) error {
	return r.q.KeepResult(ctx, DB(tx), result, c.CallerID, c.Key)
}
