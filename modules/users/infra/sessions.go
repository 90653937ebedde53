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

// Sessions implements domain.Sessions.
type Sessions struct{ q *usersdb.Queries }

// NewSessions makes the repository of sessions.
func NewSessions() *Sessions { return &Sessions{q: usersdb.New()} }

// Insert implements domain.Sessions.
func (r *Sessions) Insert(ctx context.Context, tx uow.Tx, s domain.Session) error {
	return pg.Translate(r.q.InsertSession(ctx, pg.DB(tx), usersdb.InsertSessionParams{
		ID: s.ID, UserID: s.UserID, CreatedAt: s.CreatedAt, LastUsedAt: s.LastUsedAt, ExpiresAt: s.ExpiresAt,
		Address: s.Address, Client: s.Client,
	}), nil, nil)
}

// End implements domain.Sessions.
func (r *Sessions) End(ctx context.Context, tx uow.Tx, user, id uuid.UUID, now time.Time) error {
	n, err := r.q.EndSession(ctx, pg.DB(tx), now, id, user)
	if err == nil && n == 0 {
		return domain.ErrSessionNotFound
	}
	return pg.Translate(err, nil, nil)
}

// EndAll implements domain.Sessions.
func (r *Sessions) EndAll(ctx context.Context, tx uow.Tx, user, except uuid.UUID, now time.Time) error {
	return pg.Translate(r.q.EndSessions(ctx, pg.DB(tx), now, user, except), nil, nil)
}

// ListLive implements domain.Sessions.
func (r *Sessions) ListLive(ctx context.Context, tx uow.Tx, user uuid.UUID, now time.Time, l users.Lifetimes, p page.Request) (page.Page[domain.Session], error) {
	from := p.From()
	rows, err := r.q.ListLiveSessions(ctx, pg.DB(tx), usersdb.ListLiveSessionsParams{
		UserID: user, At: now, IdleSince: l.IdleSince(now), AfterAt: from.At, AfterID: from.ID, MaxRows: int32(p.Limit) + 1,
	})
	if err != nil {
		return page.Page[domain.Session]{}, pg.Translate(err, nil, nil)
	}
	all := make([]domain.Session, len(rows))
	for i, row := range rows {
		all[i] = toSession(row)
	}
	return page.Cut(all, p.Limit, func(s domain.Session) page.Position {
		return page.Position{At: s.CreatedAt, ID: s.ID}
	}), nil
}

// AddToken implements domain.Sessions.
func (r *Sessions) AddToken(ctx context.Context, tx uow.Tx, d domain.Digest, session uuid.UUID, now time.Time) error {
	return pg.Translate(r.q.InsertRefreshToken(ctx, pg.DB(tx), d[:], session, now), nil, nil)
}

// LockToken implements domain.Sessions.
func (r *Sessions) LockToken(ctx context.Context, tx uow.Tx, d domain.Digest) (domain.Refresh, error) {
	row, err := r.q.LockRefreshToken(ctx, pg.DB(tx), d[:])
	if err != nil {
		return domain.Refresh{}, pg.Translate(err, domain.ErrRefreshToken, nil)
	}
	return domain.Refresh{Session: toSession(row.Session), User: toUser(row.User), UsedAt: row.UsedAt}, nil
}

// UseToken implements domain.Sessions.
func (r *Sessions) UseToken(ctx context.Context, tx uow.Tx, d domain.Digest, session uuid.UUID, now time.Time) error {
	if err := r.q.UseRefreshToken(ctx, pg.DB(tx), now, d[:]); err != nil {
		return pg.Translate(err, nil, nil)
	}
	return pg.Translate(r.q.TouchSession(ctx, pg.DB(tx), now, session), nil, nil)
}

func toSession(row usersdb.Session) domain.Session {
	return domain.Session{
		ID: row.ID, UserID: row.UserID, CreatedAt: row.CreatedAt, LastUsedAt: row.LastUsedAt,
		ExpiresAt: row.ExpiresAt, EndedAt: row.EndedAt, Address: row.Address, Client: row.Client,
	}
}
