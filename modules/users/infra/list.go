package infra

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/infra/internal/usersdb"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/uow"
)

// List implements domain.Repository: one statement for each order.
func (r *Users) List(ctx context.Context, tx uow.Tx, s domain.Spec, p page.Request) (page.Page[domain.User], error) {
	switch s.Order {
	case domain.ByEmail:
		return r.byEmail(ctx, tx, s, p)
	case domain.ByName:
		return r.byName(ctx, tx, s, p)
	}
	from := p.From()
	rows, err := r.q.ListUsers(ctx, pg.DB(tx), usersdb.ListUsersParams{
		AfterAt: from.At, AfterID: from.ID, MaxRows: int32(p.Limit) + 1,
		CreatedFrom: s.CreatedFrom, CreatedBefore: before(s.CreatedBefore), Among: s.Among,
		Status: nullable(string(s.Status)), EmailPrefix: nullable(s.EmailPrefix),
	})
	return cutUsers(rows, err, p, func(u domain.User) page.Position { return page.Position{At: u.CreatedAt, ID: u.ID} })
}

func (r *Users) byEmail(ctx context.Context, tx uow.Tx, s domain.Spec, p page.Request) (page.Page[domain.User], error) {
	from := textFrom(p)
	rows, err := r.q.ListUsersByEmail(ctx, pg.DB(tx), usersdb.ListUsersByEmailParams{
		AfterText: from.Text, MaxRows: int32(p.Limit) + 1,
		CreatedFrom: s.CreatedFrom, CreatedBefore: before(s.CreatedBefore), Among: s.Among,
		Status: nullable(string(s.Status)), EmailPrefix: nullable(s.EmailPrefix),
	})
	return cutUsers(rows, err, p, func(u domain.User) page.Position { return page.Position{Text: u.Email.Key(), ID: u.ID} })
}

func (r *Users) byName(ctx context.Context, tx uow.Tx, s domain.Spec, p page.Request) (page.Page[domain.User], error) {
	from := textFrom(p)
	rows, err := r.q.ListUsersByName(ctx, pg.DB(tx), usersdb.ListUsersByNameParams{
		AfterText: from.Text, AfterID: from.ID, MaxRows: int32(p.Limit) + 1,
		CreatedFrom: s.CreatedFrom, CreatedBefore: before(s.CreatedBefore), Among: s.Among,
		Status: nullable(string(s.Status)), EmailPrefix: nullable(s.EmailPrefix),
	})
	return cutUsers(rows, err, p, func(u domain.User) page.Position { return page.Position{Text: u.NameKey(), ID: u.ID} })
}

func cutUsers(rows []usersdb.User, err error, p page.Request, at func(domain.User) page.Position) (page.Page[domain.User], error) {
	if err != nil {
		return page.Page[domain.User]{}, pg.Translate(err, nil, nil)
	}
	all := make([]domain.User, len(rows))
	for i, row := range rows {
		all[i] = toUser(row)
	}
	return page.Cut(all, p.Limit, at), nil
}

// textFrom is where a page of a list in ascending order of texts starts:
// every text that is sorted has a character at least.
func textFrom(p page.Request) page.Position {
	if p.After == nil {
		return page.Position{ID: uuid.Nil}
	}
	return *p.After
}

// before makes an open end of a range.
func before(t time.Time) time.Time {
	if t.IsZero() {
		return page.Start.At
	}
	return t
}

// Invitations implements domain.Repository.
func (r *Users) Invitations(ctx context.Context, tx uow.Tx, p page.Request) (page.Page[domain.Invitation], error) {
	from := p.From()
	rows, err := r.q.ListInvitations(ctx, pg.DB(tx), from.At, from.ID, int32(p.Limit)+1)
	if err != nil {
		return page.Page[domain.Invitation]{}, pg.Translate(err, nil, nil)
	}
	all := make([]domain.Invitation, len(rows))
	for i, row := range rows {
		all[i] = domain.Invitation{User: toUser(row.User), SentAt: row.SentAt, ExpiresAt: row.ExpiresAt}
	}
	return page.Cut(all, p.Limit, func(i domain.Invitation) page.Position {
		return page.Position{At: i.SentAt, ID: i.ID}
	}), nil
}
