package tenancy

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/golang-lru/v2/expirable"
)

// Live remembers the tenants that are being served, so that finding one costs
// no query. Stale entries do no harm: the wall checks the status and takes
// the schema name from the control table each time. Forget drops one at once.
type Live struct {
	source Directory
	lookup func(hit bool)
	byID   *expirable.LRU[uuid.UUID, Tenant]
	bySlug *expirable.LRU[string, uuid.UUID]
}

// NewLive keeps up to size tenants for at most ttl each. lookup is told of each
// look-up.
func NewLive(source Directory, size int, ttl time.Duration, lookup func(hit bool)) *Live {
	return &Live{
		source: source, lookup: lookup,
		byID:   expirable.NewLRU[uuid.UUID, Tenant](size, nil, ttl),
		bySlug: expirable.NewLRU[string, uuid.UUID](size, nil, ttl),
	}
}

// ByID implements Directory.
func (l *Live) ByID(ctx context.Context, id uuid.UUID) (Tenant, error) {
	t, ok := l.byID.Get(id)
	if l.lookup(ok); ok {
		return t, nil
	}
	return l.remember(l.source.ByID(ctx, id))
}

// Known is a tenant that is remembered; nobody is asked for it.
func (l *Live) Known(id uuid.UUID) (Tenant, bool) { return l.byID.Peek(id) }

// BySlug implements Directory.
func (l *Live) BySlug(ctx context.Context, slug string) (Tenant, error) {
	if id, ok := l.bySlug.Get(slug); ok {
		if t, ok := l.byID.Get(id); ok && t.Slug == slug {
			l.lookup(true)
			return t, nil
		}
	}
	l.lookup(false)
	return l.remember(l.source.BySlug(ctx, slug))
}

// Forget drops what is remembered of a tenant that has changed.
func (l *Live) Forget(id uuid.UUID) {
	if t, ok := l.byID.Peek(id); ok {
		l.bySlug.Remove(t.Slug)
	}
	l.byID.Remove(id)
}

func (l *Live) remember(t Tenant, err error) (Tenant, error) {
	if err != nil {
		return Tenant{}, err
	}
	if t.Status == Active { // others are rare, and their next status should show at once
		l.byID.Add(t.ID, t)
		l.bySlug.Add(t.Slug, t.ID)
	}
	return t, nil
}
