package service

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/uow"
)

// Invitations as things of their own. An invitation has the id of the user
// it is for.
var (
	Invite           = op.Write("invitations.create", "Invite somebody, with roles.", op.About("user"))
	ListInvitations  = op.Read("invitations.list", "List the invitations that nobody has accepted yet.", op.About("user"))
	ResendInvitation = op.Write("invitations.resend", "Send an invitation again, with a new link.", op.About("user"))
	RevokeInvitation = op.Write("invitations.revoke", "Take an invitation back.", op.About("user"))
)

// Invite adds an invited user. Without a name the address stands in for it,
// until whoever accepts says better.
func (s *Users) Invite(ctx context.Context, in NewUser) (domain.Invitation, error) {
	return op.Do(ctx, s.run, Invite, func(tx uow.Tx) (domain.Invitation, error) {
		if in.Name == "" {
			address, err := domain.ParseEmail(in.Email)
			if err != nil {
				return domain.Invitation{}, err
			}
			in.Name = address.Local()
		}
		p, err := s.add(ctx, tx, in)
		if err != nil {
			return domain.Invitation{}, err
		}
		return s.sent(p.User), nil
	})
}

// sent is the invitation that has just been sent to a user.
func (s *Users) sent(u domain.User) domain.Invitation {
	now := s.clock.Now()
	return domain.Invitation{User: u, SentAt: now, ExpiresAt: now.Add(domain.InvitationLifetime)}
}

// Invitations returns a page of the open invitations, the last sent first.
func (s *Users) Invitations(ctx context.Context, r page.Request) (page.Page[domain.Invitation], error) {
	return op.Do(ctx, s.run, ListInvitations, func(tx uow.Tx) (page.Page[domain.Invitation], error) {
		return s.users.Invitations(ctx, tx, r)
	})
}

// Resend sends an invitation again; the link that was sent before ends. It
// returns domain.ErrNotInvited for a user who has accepted.
func (s *Users) Resend(ctx context.Context, id uuid.UUID) (domain.Invitation, error) {
	return op.Do(ctx, s.run, ResendInvitation.On(id.String()), func(tx uow.Tx) (domain.Invitation, error) {
		u, err := s.open(ctx, tx, id)
		if err != nil {
			return domain.Invitation{}, err
		}
		return s.sent(u), s.inviter.send(ctx, tx, s.scope, u)
	})
}

// Revoke takes an invitation back, and with it the user who never was. It
// returns domain.ErrNotInvited for one who has accepted.
func (s *Users) Revoke(ctx context.Context, id uuid.UUID) error {
	_, err := op.Do(ctx, s.run, RevokeInvitation.On(id.String()), func(tx uow.Tx) (struct{}, error) {
		if _, err := s.open(ctx, tx, id); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, s.remove(ctx, tx, id, domain.AnyVersion)
	})
	return err
}

// open finds a user whose invitation is open and whom the caller may manage.
func (s *Users) open(ctx context.Context, tx uow.Tx, id uuid.UUID) (domain.User, error) {
	u, err := s.lock(ctx, tx, id)
	switch {
	case err != nil:
		return u, err
	case u.Status != domain.Invited:
		return u, domain.ErrNotInvited
	}
	return u, s.roles.MayManage(ctx, tx, s.scope.Caller, id)
}
