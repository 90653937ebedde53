package service

import (
	"context"
	"time"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/insulahq/insula/modules/roles"
	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/uow"
)

// rememberedUsers bounds of how many users a process knows the roles.
const rememberedUsers = 20_000

// heldKey names the roles of a user at one version of the user's access and of
// the tenant's roles: whatever changes them makes another key, so nothing has
// to be invalidated.
type heldKey struct {
	tenant, user   uuid.UUID
	access, policy int64
}

// held remembers the roles of users. It is a cache: with nothing in it all
// answers are the same.
type held struct {
	known *lru.Cache[heldKey, roles.Held]
}

func newHeld() held {
	known, err := lru.New[heldKey, roles.Held](rememberedUsers)
	if err != nil {
		panic(err) // of a size that is not positive
	}
	return held{known: known}
}

// shown adds the roles to a user who is shown to the caller of a request. Those
// that were read for an earlier request serve until a version changes or one
// of them ends; the versions are those of this request.
func (d *Directory) shown(ctx context.Context, tx uow.Tx, r scope.Request, u domain.User) (Person, error) {
	if r.Caller.Kind != authn.User && r.Caller.Kind != authn.APIKey { // others were let in at no version
		return d.person(ctx, tx, u)
	}
	key := heldKey{tenant: r.Tenant.ID, user: u.ID, access: u.AccessVersion, policy: r.Caller.Policy}
	if known, ok := d.held.known.Get(key); ok && lasts(known, d.clock.Now()) {
		return Person{User: u, Roles: known.Names, Ends: known.Ends}, nil
	}
	p, err := d.person(ctx, tx, u)
	if err == nil {
		d.held.known.Add(key, roles.Held{Names: p.Roles, Ends: p.Ends})
	}
	return p, err
}

// lasts reports whether none of the roles has ended.
func lasts(h roles.Held, now time.Time) bool {
	for _, end := range h.Ends {
		if !now.Before(end) {
			return false
		}
	}
	return true
}
