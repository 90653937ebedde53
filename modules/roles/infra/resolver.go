package infra

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/roles/domain"
	"github.com/insulahq/insula/modules/roles/infra/internal/rolesdb"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Resolver implements gate.Resolver.
type Resolver struct {
	q         *rolesdb.Queries
	catalogue *domain.Catalogue
	// builtIn shares the sets of those who have built-in roles only: a few
	// dozen combinations stand for nearly everybody in all tenants.
	builtIn sync.Map // combination -> *authn.Grants
}

// combination names a set of built-in roles in a kind of tenant.
type combination struct {
	names    string
	landlord bool
}

// NewResolver makes the resolver of a process.
func NewResolver(c *domain.Catalogue) *Resolver {
	return &Resolver{q: rolesdb.New(), catalogue: c}
}

// Grants implements gate.Resolver with one query.
func (r *Resolver) Grants(ctx context.Context, tx uow.Tx, t tenancy.Tenant, user uuid.UUID) (*authn.Grants, error) {
	rows, err := r.q.RolesOfUser(ctx, pg.DB(tx), user)
	if err != nil {
		return nil, fmt.Errorf("read the roles of a user: %w", pg.Translate(err, nil, nil))
	}
	held, landlord := toRoles(rows), t.Kind == tenancy.Landlord
	key, shared := combinationOf(held, landlord)
	if !shared {
		return r.union(held, landlord), nil
	}
	if known, ok := r.builtIn.Load(key); ok {
		return known.(*authn.Grants), nil
	}
	known, _ := r.builtIn.LoadOrStore(key, r.union(held, landlord))
	return known.(*authn.Grants), nil
}

// combinationOf names the roles, which come sorted, if all are built in.
func combinationOf(held []domain.Role, landlord bool) (combination, bool) {
	names := make([]string, len(held))
	for i, r := range held {
		if !r.BuiltIn {
			return combination{}, false
		}
		names[i] = r.Name
	}
	return combination{strings.Join(names, " "), landlord}, true
}

// union adds up what roles hold. Of several that hold an operation the first
// by name is the one that the trail will show.
func (r *Resolver) union(held []domain.Role, landlord bool) *authn.Grants {
	names := make([]string, len(held))
	from := map[string]string{}
	for i, role := range held {
		names[i] = role.Name
		for _, operation := range r.catalogue.Holds(role, landlord) {
			if _, already := from[operation]; !already {
				from[operation] = role.Name
			}
		}
	}
	return authn.NewGrants(names, from)
}
