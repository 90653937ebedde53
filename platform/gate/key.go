package gate

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// admitKey lets in who presents an API key. The tenant that the key names is
// only where to look it up: until it is found there it proves nothing, so
// every tenant in which it is not answers alike.
func (g *Gate) admitKey(ctx context.Context, token string, named uuid.UUID, hints tenancy.Hints, origin authn.Origin) (scope.Request, error) {
	tenant, disagree := tenancy.FromToken(ctx, g.tenants, named, hints)
	if disagree != nil && tenant.ID == uuid.Nil {
		return scope.Request{}, hidden(disagree)
	}
	caller, err := g.service(ctx, tenant, token)
	g.remember(token, holder{tenant: tenant.ID, user: caller.ID}, err)
	if err != nil {
		return scope.Request{}, hidden(err)
	}
	caller.Origin = origin
	return scope.Request{Tenant: tenant, Caller: caller}, disagree
}

// hidden keeps the holder of no good key from learning which tenants exist.
func hidden(err error) error {
	if errors.Is(err, tenancy.ErrUnknown) {
		return errs.ErrUnauthenticated.Because(err)
	}
	return err
}

// service is the program behind an API key: its maker, within the scope of
// the key.
func (g *Gate) service(ctx context.Context, t tenancy.Tenant, token string) (authn.Caller, error) {
	caller := authn.Caller{Kind: authn.APIKey}
	var key Key
	unit := g.units.Tenant(t)
	err := unit.Read(ctx, func(tx uow.Tx) (err error) {
		if key, err = g.keys.Key(ctx, tx, t, token); err != nil {
			return err
		}
		if !key.Maker.Live {
			return errs.ErrUnauthenticated
		}
		held, err := g.resolve(ctx, tx, t, key.Maker.UserID, key.Maker)
		if err != nil {
			return err
		}
		caller.ID, caller.Label, caller.Policy = key.Maker.UserID, key.Maker.Label, key.Maker.PolicyVersion
		caller.Grants = held.Narrow(key.Operations)
		return nil
	})
	if err != nil || !key.Touch {
		return caller, err
	}
	return caller, unit.Write(ctx, func(tx uow.Tx) error { return g.keys.TouchKey(ctx, tx, key.ID) })
}
