package infra

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra/internal/usersdb"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// APIKeys implements domain.APIKeys.
type APIKeys struct{ q *usersdb.Queries }

// NewAPIKeys makes the repository.
func NewAPIKeys() *APIKeys { return &APIKeys{q: usersdb.New()} }

// Insert implements domain.APIKeys.
func (r *APIKeys) Insert(ctx context.Context, tx uow.Tx, k domain.APIKey) error {
	return pg.Translate(r.q.InsertAPIKey(ctx, pg.DB(tx), usersdb.InsertAPIKeyParams{
		ID: k.ID, UserID: k.UserID, Name: k.Name, Hash: k.Digest[:], Hint: k.Hint, Operations: k.Operations,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt,
	}), nil, nil)
}

// Find implements domain.APIKeys.
func (r *APIKeys) Find(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.APIKey, error) {
	row, err := r.q.FindAPIKey(ctx, pg.DB(tx), id)
	if err != nil {
		return domain.APIKey{}, pg.Translate(err, domain.ErrKeyNotFound, nil)
	}
	return toAPIKey(row), nil
}

// Delete implements domain.APIKeys.
func (r *APIKeys) Delete(ctx context.Context, tx uow.Tx, id uuid.UUID) error {
	n, err := r.q.DeleteAPIKey(ctx, pg.DB(tx), id)
	if err == nil && n == 0 {
		return domain.ErrKeyNotFound
	}
	return pg.Translate(err, nil, nil)
}

// List implements domain.APIKeys.
func (r *APIKeys) List(ctx context.Context, tx uow.Tx, p page.Request) (page.Page[domain.APIKey], error) {
	from := p.From()
	rows, err := r.q.ListAPIKeys(ctx, pg.DB(tx), from.At, from.ID, int32(p.Limit)+1)
	if err != nil {
		return page.Page[domain.APIKey]{}, pg.Translate(err, nil, nil)
	}
	all := make([]domain.APIKey, len(rows))
	for i, row := range rows {
		all[i] = toAPIKey(row)
	}
	return page.Cut(all, p.Limit, func(k domain.APIKey) page.Position {
		return page.Position{At: k.CreatedAt, ID: k.ID}
	}), nil
}

func toAPIKey(row usersdb.ApiKey) domain.APIKey {
	return domain.APIKey{
		ID: row.ID, UserID: row.UserID, Name: row.Name, Digest: domain.Digest(row.Hash), Hint: row.Hint,
		Operations: row.Operations, CreatedAt: row.CreatedAt, ExpiresAt: row.ExpiresAt, LastUsedAt: row.LastUsedAt,
	}
}

// Scopes implements users.KeyScopes.
func (r *APIKeys) Scopes(ctx context.Context, tx uow.Tx, keys []uuid.UUID, now time.Time) (map[uuid.UUID]users.KeyScope, error) {
	rows, err := r.q.APIKeyScopes(ctx, pg.DB(tx), keys, now)
	if err != nil {
		return nil, pg.Translate(err, nil, nil)
	}
	scopes := make(map[uuid.UUID]users.KeyScope, len(rows))
	for _, row := range rows {
		scopes[row.ID] = users.KeyScope{Maker: row.UserID, Operations: row.Operations}
	}
	return scopes, nil
}
