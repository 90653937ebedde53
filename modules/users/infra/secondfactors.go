package infra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra/internal/usersdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// SecondFactors implements domain.SecondFactors; the seeds are sealed with
// the root key of the configuration.
type SecondFactors struct {
	q      *usersdb.Queries
	root   secret.Key
	random io.Reader
}

// NewSecondFactors makes the repository.
func NewSecondFactors(root secret.Key, random io.Reader) *SecondFactors {
	return &SecondFactors{q: usersdb.New(), root: root, random: random}
}

// seedBinding ties a sealed seed to its row.
func seedBinding(user uuid.UUID) []byte { return []byte("insula/authenticator/" + user.String()) }

// Put implements domain.SecondFactors.
func (r *SecondFactors) Put(ctx context.Context, tx uow.Tx, a domain.Authenticator, now time.Time) error {
	sealed, err := r.root.Seal(r.random, []byte(a.Seed.Reveal()), seedBinding(a.UserID))
	if err != nil {
		return fmt.Errorf("seal the seed of an authenticator: %w", err)
	}
	return pg.Translate(r.q.PutAuthenticator(ctx, pg.DB(tx), a.UserID, sealed, now), nil, nil)
}

// Lock implements domain.SecondFactors.
func (r *SecondFactors) Lock(ctx context.Context, tx uow.Tx, user uuid.UUID) (domain.Authenticator, error) {
	row, err := r.q.LockAuthenticator(ctx, pg.DB(tx), user)
	if err != nil {
		return domain.Authenticator{}, pg.Translate(err, domain.ErrNoSecondFactor, nil)
	}
	seed, err := r.root.Open(row.Seed, seedBinding(user))
	if err != nil {
		return domain.Authenticator{}, fmt.Errorf("was the secret key of the configuration changed? %w", err)
	}
	return domain.Authenticator{
		UserID: user, Seed: secret.New(string(seed)), LastStep: row.LastStep, ConfirmedAt: row.ConfirmedAt,
	}, nil
}

// Confirm implements domain.SecondFactors.
func (r *SecondFactors) Confirm(ctx context.Context, tx uow.Tx, user uuid.UUID, step int64, now time.Time) error {
	return pg.Translate(r.q.ConfirmAuthenticator(ctx, pg.DB(tx), now, step, user), nil, nil)
}

// PutCodes implements domain.SecondFactors.
func (r *SecondFactors) PutCodes(ctx context.Context, tx uow.Tx, user uuid.UUID, codes []domain.Digest) error {
	hashes := make([][]byte, len(codes))
	for i := range codes {
		hashes[i] = codes[i][:]
	}
	return pg.Translate(errors.Join(
		r.q.DeleteRecoveryCodes(ctx, pg.DB(tx), user),
		r.q.InsertRecoveryCodes(ctx, pg.DB(tx), user, hashes),
	), nil, nil)
}

// Use implements domain.SecondFactors.
func (r *SecondFactors) Use(ctx context.Context, tx uow.Tx, user uuid.UUID, step int64) error {
	return pg.Translate(r.q.UseAuthenticator(ctx, pg.DB(tx), step, user), nil, nil)
}

// TakeCode implements domain.SecondFactors.
func (r *SecondFactors) TakeCode(ctx context.Context, tx uow.Tx, user uuid.UUID, d domain.Digest) (bool, error) {
	n, err := r.q.TakeRecoveryCode(ctx, pg.DB(tx), user, d[:])
	return n == 1, pg.Translate(err, nil, nil)
}

// Remove implements domain.SecondFactors.
func (r *SecondFactors) Remove(ctx context.Context, tx uow.Tx, user uuid.UUID) error {
	return pg.Translate(errors.Join(
		r.q.DeleteAuthenticator(ctx, pg.DB(tx), user), r.q.DeleteRecoveryCodes(ctx, pg.DB(tx), user)), nil, nil)
}
