package domain

import (
	"time"

	"github.com/insulahq/insula/platform/errs"
)

// Invitation is an invited user together with the token that was sent last.
// It has the user's id: accepting it makes the invitation a user.
type Invitation struct {
	User
	SentAt    time.Time
	ExpiresAt time.Time
}

// refusals is what the holder of an unknown token is told.
var refusals = map[Purpose]*errs.Error{ForInvitation: ErrInvitation, ForReset: ErrReset, ForEmail: ErrEmailToken}

// Refusal is what the holder of a token for this purpose is told when it is
// not good.
func (p Purpose) Refusal() *errs.Error { return refusals[p] }

// Good returns the refusal of its purpose for a token that came too late, or
// was sent to an address that is not the user's any more.
func (t OneTimeToken) Good(u User, now time.Time) error {
	if t.Expired(now) || t.Purpose != ForEmail && t.Address.Key() != u.Email.Key() {
		return t.Purpose.Refusal()
	}
	return nil
}
