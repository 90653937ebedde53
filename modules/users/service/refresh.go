package service

import (
	"context"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// Refresh continues a session.
var Refresh = op.Write("auth.refresh", "Exchange a refresh token for new tokens.",
	op.Public("The refresh token is the proof; the access token may have expired."), op.About("user"))

// Refresh exchanges a refresh token, which works once, for its successor and
// a new access token. Within the grace the same token yields the same
// successor. Later it returns domain.ErrReused and the session has ended.
func (s *Auth) Refresh(ctx context.Context, token secret.Value) (Tokens, error) {
	return op.Do(ctx, s.run, Refresh, func(tx uow.Tx) (Tokens, error) {
		return s.refresh(ctx, tx, token)
	})
}

func (s *Auth) refresh(ctx context.Context, tx uow.Tx, token secret.Value) (Tokens, error) {
	r, err := s.sessions.LockToken(ctx, tx, domain.DigestOf(token))
	if err != nil {
		return Tokens{}, err
	}
	aim(tx, r.User)
	now := s.clock.Now()
	next := s.issuer.successor(r.Session.ID, token)
	switch r.Judge(now, s.policies.Of(s.scope.Tenant).Lifetimes) {
	case domain.Rotate:
		if err := s.issuer.rotate(ctx, tx, r.Session, token, next); err != nil {
			return Tokens{}, err
		}
	case domain.Repeat: // the first of the parallel refreshes stored it
	case domain.Revoke:
		tx.Trail().Changed(sessionView{Session: r.Session.ID},
			sessionView{Session: r.Session.ID, Ended: true, Why: domain.ErrReused.Code})
		if err := s.sessions.End(ctx, tx, r.User.ID, r.Session.ID, now); err != nil {
			return Tokens{}, err
		}
		return Tokens{}, op.Keep(domain.ErrReused)
	default:
		return Tokens{}, domain.ErrRefreshToken
	}
	return s.issuer.tokens(s.scope.Tenant, r.Session, next)
}
