package domain

import "time"

// Lifetimes that no setting changes.
const (
	// InvitationLifetime is how long an invitation can be accepted.
	InvitationLifetime = 7 * 24 * time.Hour
	// ResetLifetime is how long a forgotten password can be replaced.
	ResetLifetime = time.Hour
	// EmailLifetime is how long a new e-mail address can be confirmed.
	EmailLifetime = 24 * time.Hour
	// ChallengeLifetime is how long the second step of a login may take.
	ChallengeLifetime = 5 * time.Minute
)
