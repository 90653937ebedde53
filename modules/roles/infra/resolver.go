package infra

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra/internal/rolesdb"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Resolver implements gate.Resolver. It keeps what the roles of a tenant give
// at a version, so that resolving a user reads the ids of the user's roles
// and nothing else; and users who have the same roles share one set.
//
// Nothing of it is kept in Redis: that would spare each process half of one
// query per user and version (docs/performance.md), and be one more place that
// has to be right.
type Resolver struct {
	q         *rolesdb.Queries
	catalogue *domain.Catalogue
	clock     clock.Clock
	policies  *lru.Cache[policyKey, *compiled] // the newest version met
}

// policyKey names a tenant of a kind, since landlord operations exist in one.
type policyKey struct {
	tenant   uuid.UUID
	landlord bool
}

// compiled is a policy in the form that decisions are made from.
type compiled struct {
	*domain.Policy
	parts   map[uuid.UUID]authn.Part
	shared  sync.Map // ids of roles -> *authn.Grants
	sharing atomic.Int64
}

// maxShared bounds the combinations of roles that are kept for a tenant.
const maxShared = 4096

// keptPolicies bounds the tenants whose policies a process keeps.
const keptPolicies = 10_000

// NewResolver makes the resolver of a process.
func NewResolver(c *domain.Catalogue, now clock.Clock) (*Resolver, error) {
	policies, err := lru.New[policyKey, *compiled](keptPolicies)
	return &Resolver{q: rolesdb.New(), catalogue: c, clock: now, policies: policies}, err
}

// Grants implements gate.Resolver with one query; a tenant's first user at a
// version takes two more.
func (r *Resolver) Grants(ctx context.Context, tx uow.Tx, t tenancy.Tenant, user uuid.UUID, version int64) (*authn.Grants, error) {
	policy, err := r.policy(ctx, tx, t, version)
	if err != nil {
		return nil, err
	}
	rows, err := r.q.HoldingsOfUser(ctx, pg.DB(tx), user, r.clock.Now())
	if err != nil {
		return nil, fmt.Errorf("read the roles of a user: %w", pg.Translate(err, nil, nil))
	}
	held := make([]domain.Holding, len(rows))
	for i, row := range rows {
		held[i] = holding(row.RoleID, row.ExpiresAt)
	}
	return policy.resolve(held), nil
}

// Standing implements service.Standings with one query for all users.
func (r *Resolver) Standing(ctx context.Context, tx uow.Tx, t tenancy.Tenant, version int64, users []uuid.UUID) (domain.Standing, map[uuid.UUID]*authn.Grants, error) {
	policy, err := r.policy(ctx, tx, t, version)
	if err != nil {
		return domain.Standing{}, nil, err
	}
	rows, err := r.q.HoldingsOfUsers(ctx, pg.DB(tx), users, r.clock.Now())
	if err != nil {
		return domain.Standing{}, nil, fmt.Errorf("read the roles of users: %w", pg.Translate(err, nil, nil))
	}
	s := domain.Standing{Policy: policy.Policy, Held: make(map[uuid.UUID][]domain.Holding, len(users))}
	for _, row := range rows {
		s.Held[row.UserID] = append(s.Held[row.UserID], holding(row.RoleID, row.ExpiresAt))
	}
	grants := make(map[uuid.UUID]*authn.Grants, len(users))
	for _, user := range users {
		grants[user] = policy.resolve(s.Held[user])
	}
	return s, grants, nil
}

// Policy implements service.Standings; a version that is known takes no query.
func (r *Resolver) Policy(ctx context.Context, tx uow.Tx, t tenancy.Tenant, version int64) (*domain.Policy, error) {
	c, err := r.policy(ctx, tx, t, version)
	if err != nil {
		return nil, err
	}
	return c.Policy, nil
}

func holding(role uuid.UUID, end *time.Time) domain.Holding {
	h := domain.Holding{Role: role}
	if end != nil {
		h.Until = *end
	}
	return h
}

// policy is the tenant's policy at a version or a newer one.
func (r *Resolver) policy(ctx context.Context, tx uow.Tx, t tenancy.Tenant, version int64) (*compiled, error) {
	key := policyKey{tenant: t.ID, landlord: t.Kind == tenancy.Landlord}
	if known, ok := r.policies.Get(key); ok && known.Version == version {
		return known, nil
	}
	p, err := readPolicy(ctx, tx, r.q, r.catalogue, key.landlord)
	if err != nil {
		return nil, err
	}
	c := &compiled{Policy: p, parts: map[uuid.UUID]authn.Part{}}
	for role := range p.Roles() {
		c.parts[role.ID] = authn.NewPart(role.Name, p.Holds(role.ID))
	}
	if known, ok := r.policies.Peek(key); !ok || known.Version <= p.Version {
		r.policies.Add(key, c)
	}
	return c, nil
}

// resolve adds up what roles give. Of several that give a permission the
// first by name is the one that the trail will show.
func (c *compiled) resolve(held []domain.Holding) *authn.Grants {
	var until time.Time
	var parts []authn.Part
	var ids strings.Builder
	slices.SortFunc(held, func(a, b domain.Holding) int { return strings.Compare(c.parts[a.Role].Role, c.parts[b.Role].Role) })
	for _, h := range held {
		part, there := c.parts[h.Role]
		if !there {
			continue // made after this version; the next one has it
		}
		parts = append(parts, part)
		ids.Write(h.Role[:])
		if !h.Until.IsZero() && (until.IsZero() || h.Until.Before(until)) {
			until = h.Until
		}
	}
	if !until.IsZero() {
		return authn.Resolve(c.Names(), until, parts...)
	}
	if known, ok := c.shared.Load(ids.String()); ok {
		return known.(*authn.Grants)
	}
	fresh := authn.Resolve(c.Names(), until, parts...)
	if c.sharing.Add(1) > maxShared {
		return fresh
	}
	known, _ := c.shared.LoadOrStore(ids.String(), fresh)
	return known.(*authn.Grants)
}
