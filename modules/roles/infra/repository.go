package infra

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra/internal/rolesdb"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// Repository implements domain.Repository.
type Repository struct{ q *rolesdb.Queries }

// NewRepository makes a repository.
func NewRepository() *Repository { return &Repository{q: rolesdb.New()} }

// Get implements domain.Repository.
func (r *Repository) Get(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.Role, error) {
	row, err := r.q.GetRole(ctx, pg.DB(tx), id)
	if err != nil {
		return domain.Role{}, pg.Translate(err, domain.ErrNotFound, nil)
	}
	return domain.Role(row), nil
}

// List implements domain.Repository.
func (r *Repository) List(ctx context.Context, tx uow.Tx, p page.Request) (page.Page[domain.Role], error) {
	from := p.From()
	rows, err := r.q.ListRoles(ctx, pg.DB(tx), from.At, from.ID, int32(p.Limit)+1)
	if err != nil {
		return page.Page[domain.Role]{}, pg.Translate(err, nil, nil)
	}
	return page.Cut(toRoles(rows), p.Limit, func(r domain.Role) page.Position {
		return page.Position{At: r.CreatedAt, ID: r.ID}
	}), nil
}

// toRoles relies on a row having the fields of the domain's role.
func toRoles(rows []rolesdb.Role) []domain.Role {
	out := make([]domain.Role, len(rows))
	for i, row := range rows {
		out[i] = domain.Role(row)
	}
	return out
}
