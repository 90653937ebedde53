package domain

import (
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users"
)

// Session is one login and everything that was refreshed from it.
type Session struct {
	ID         uuid.UUID
	UserID     uuid.UUID
	CreatedAt  time.Time
	LastUsedAt time.Time
	ExpiresAt  time.Time
	EndedAt    *time.Time // nil while it lasts
	Address    string     // of the client that signed in; empty when unknown
	Client     string     // its User-Agent
}

// Live reports whether the session still counts.
func (s Session) Live(now time.Time, l users.Lifetimes) bool {
	return s.EndedAt == nil && now.Before(s.ExpiresAt) && s.LastUsedAt.After(l.IdleSince(now))
}

// Refresh is a refresh token together with what decides about it.
type Refresh struct {
	Session Session
	User    User
	UsedAt  *time.Time // nil until the token was used
}

// Verdict says what to do with a refresh token that was presented.
type Verdict uint8

// The verdicts.
const (
	Refuse Verdict = iota // the session or its user is not live: nothing to do
	Rotate                // first use: the successor takes its place
	Repeat                // used a moment ago: the same successor again
	Revoke                // used long ago: stolen, by whoever; the session ends
)

// Judge decides. A token that comes back within the grace is taken for a
// client that refreshes in parallel or did not get the answer; later than
// that two parties hold it.
func (r Refresh) Judge(now time.Time, l users.Lifetimes) Verdict {
	switch {
	case !r.Session.Live(now, l) || r.User.Status != Active:
		return Refuse
	case r.UsedAt == nil:
		return Rotate
	case now.Sub(*r.UsedAt) <= l.Grace:
		return Repeat
	}
	return Revoke
}
