package infra

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra/internal/usersdb"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// OneTimeTokens implements domain.OneTimeTokens.
type OneTimeTokens struct{ q *usersdb.Queries }

// NewOneTimeTokens makes the repository of one-time tokens.
func NewOneTimeTokens() *OneTimeTokens { return &OneTimeTokens{q: usersdb.New()} }

// Put implements domain.OneTimeTokens.
func (r *OneTimeTokens) Put(ctx context.Context, tx uow.Tx, t domain.OneTimeToken) error {
	if err := r.Drop(ctx, tx, t.UserID, t.Purpose); err != nil {
		return err
	}
	return pg.Translate(r.q.InsertOneTimeToken(ctx, pg.DB(tx), usersdb.InsertOneTimeTokenParams{
		Hash: t.Digest[:], UserID: t.UserID, Purpose: string(t.Purpose), Address: t.Address.String(), CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt,
	}), nil, nil)
}

// Take implements domain.OneTimeTokens.
func (r *OneTimeTokens) Take(ctx context.Context, tx uow.Tx, d domain.Digest, p domain.Purpose) (domain.OneTimeToken, error) {
	row, err := r.q.TakeOneTimeToken(ctx, pg.DB(tx), d[:], string(p))
	if err != nil {
		return domain.OneTimeToken{}, pg.Translate(err, p.Refusal(), nil)
	}
	return domain.OneTimeToken{
		Digest: d, UserID: row.UserID, Purpose: p, Address: domain.KnownEmail(row.Address), CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt,
	}, nil
}

// Drop implements domain.OneTimeTokens.
func (r *OneTimeTokens) Drop(ctx context.Context, tx uow.Tx, user uuid.UUID, p domain.Purpose) error {
	return pg.Translate(r.q.DeleteOneTimeTokens(ctx, pg.DB(tx), user, string(p)), nil, nil)
}
