package domain

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/secret"
)

// Challenge is what the server must know of a login between its two steps.
// The client carries it, sealed: nothing is stored that would have to be
// cleaned up.
type Challenge struct {
	User    uuid.UUID `json:"user"`
	Proof   []byte    `json:"proof"` // digest of the password's hash: another password ends the login
	Device  string    `json:"device,omitempty"`
	Expires time.Time `json:"expires"`
}

// NewChallenge is that of a user whose password was right just now, on a
// device that is known; empty when it is not.
func NewChallenge(u User, device secret.Value, now time.Time) Challenge {
	proof := DigestOf(u.PasswordHash)
	return Challenge{User: u.ID, Proof: proof[:], Device: device.Reveal(), Expires: now.Add(ChallengeLifetime)}
}

// Seal makes the text that the client carries, good in one tenant.
func (c Challenge) Seal(key secret.Key, tenant uuid.UUID, random io.Reader) (secret.Value, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return secret.Value{}, fmt.Errorf("challenge: %w", err)
	}
	sealed, err := key.Seal(random, plain, challengeBinding(tenant))
	return secret.New(secret.EncodeText(sealed)), err
}

// OpenChallenge reads a challenge of the tenant that is still good. It returns
// ErrChallenge for every other text.
func OpenChallenge(key secret.Key, tenant uuid.UUID, text secret.Value, now time.Time) (Challenge, error) {
	sealed, err := secret.DecodeText(text.Reveal())
	if err != nil {
		return Challenge{}, ErrChallenge
	}
	plain, err := key.Open(sealed, challengeBinding(tenant))
	if err != nil {
		return Challenge{}, ErrChallenge
	}
	var c Challenge
	if json.Unmarshal(plain, &c) != nil || !now.Before(c.Expires) {
		return Challenge{}, ErrChallenge
	}
	return c, nil
}

// Answers reports whether the user is still the one whose password was right:
// active, with a second factor and the same password.
func (c Challenge) Answers(u User) bool {
	proof := DigestOf(u.PasswordHash)
	return u.Status == Active && u.SecondFactor && string(proof[:]) == string(c.Proof)
}

func challengeBinding(tenant uuid.UUID) []byte { return []byte("insula/challenge/" + tenant.String()) }
