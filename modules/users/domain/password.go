package domain

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/insulahq/insula/platform/secret"
)

// The length of a password in characters, after normalisation. Length is
// what makes it strong, so there is no rule about which characters it has.
const (
	MinPassword           = 15 // when nothing else guards the account
	MinPasswordWithSecond = 8  // with a confirmed second factor
	MaxPassword           = 256
)

// checkPassword decides whether a user may have a password. pointer is where
// it stands in the request.
func (u User) checkPassword(password secret.Value, pointer string) error {
	if !utf8.ValidString(password.Reveal()) {
		return ErrInvalid.At(pointer, "must be valid UTF-8")
	}
	text := NormalPassword(password)
	least := MinPassword
	if u.SecondFactor {
		least = MinPasswordWithSecond
	}
	switch n := utf8.RuneCountInString(text); {
	case n < least:
		return ErrInvalid.At(pointer, fmt.Sprintf("must have at least %d characters", least))
	case n > MaxPassword:
		return ErrInvalid.At(pointer, "must have at most 256 characters")
	case sameText(text, u.Email.String()), sameText(text, u.Name):
		return ErrInvalid.At(pointer, "must not be your name or your e-mail address")
	case isCommon(text):
		return ErrInvalid.At(pointer, "is one of the passwords that are guessed first")
	}
	return nil
}

// NormalPassword is a password in the form that is hashed (NFKC), so that
// keyboards which compose characters differently give the same one.
func NormalPassword(password secret.Value) string { return norm.NFKC.String(password.Reveal()) }

func sameText(password, known string) bool {
	return strings.EqualFold(strings.TrimSpace(password), norm.NFKC.String(known))
}

// Hasher hashes passwords, which is slow on purpose. Only so many hashes are
// computed at once, and tenants take turns.
type Hasher interface {
	// Reserve waits for the tenant's turn. Do it before a unit of work opens,
	// so that no database connection is held in the queue. It returns
	// errs.ErrUnavailable when too many wait already or ctx ends first.
	Reserve(ctx context.Context, tenant uuid.UUID) (HashSlot, error)
}

// HashSlot is the right to compute hashes, one at a time, until Release.
type HashSlot interface {
	// Hash makes the form of a password that is stored.
	Hash(password secret.Value) (secret.Value, error)
	// Matches reports whether stored was made of password. Without a stored
	// hash it does the same work and says no.
	Matches(stored, password secret.Value) bool
	// Stale reports that stored was made in an older way than Hash works now,
	// and should be replaced when its password is at hand.
	Stale(stored secret.Value) bool
	// Release gives the slot back. It may be called more than once.
	Release()
}
