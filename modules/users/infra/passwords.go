package infra

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/secret"
)

const (
	// scheme stands before every stored hash and names how it was made:
	// bcrypt of the base64 of an HMAC-SHA-384 of the NFKC form, under the first
	// generation of the pepper.
	scheme = "hmac-sha384-bcrypt:p1:"
	// pepperLabel derives the HMAC key of that generation.
	pepperLabel = "insula/password/v1"
	// busyRetry is when to come back if no slot became free in time.
	busyRetry = time.Second
)

// Passwords implements domain.Hasher. The HMAC in front of bcrypt makes every
// password 64 bytes long, below the 72 that bcrypt looks at, and makes stolen
// hashes useless without the pepper, which is not in the database.
type Passwords struct {
	key   []byte
	cost  int
	slots chan struct{}
	// decoy is a well-formed hash that no password has: comparing with it costs
	// what comparing with a user's costs.
	decoy []byte
}

// NewPasswords makes a hasher that computes up to slots hashes at once, each
// of the given bcrypt cost.
func NewPasswords(pepper secret.Key, cost, slots int) *Passwords {
	return &Passwords{
		key: pepper.Derive(pepperLabel, sha512.Size384), cost: cost, slots: make(chan struct{}, slots),
		decoy: fmt.Appendf(nil, "$2a$%02d$%s", cost, strings.Repeat(".", 22+31)),
	}
}

// Reserve implements domain.Hasher.
func (p *Passwords) Reserve(ctx context.Context) (domain.HashSlot, error) {
	select {
	case p.slots <- struct{}{}:
		return &slot{passwords: p}, nil
	case <-ctx.Done():
		return nil, errs.ErrUnavailable.Because(ctx.Err()).After(busyRetry)
	}
}

type slot struct {
	passwords *Passwords
	once      sync.Once
}

// Hash implements domain.HashSlot.
func (s *slot) Hash(password secret.Value) (secret.Value, error) {
	hash, err := bcrypt.GenerateFromPassword(s.passwords.digest(password), s.passwords.cost)
	if err != nil {
		return secret.Value{}, fmt.Errorf("hash password: %w", err)
	}
	return secret.New(scheme + string(hash)), nil
}

// Matches implements domain.HashSlot.
func (s *slot) Matches(stored, password secret.Value) bool {
	hash, known := strings.CutPrefix(stored.Reveal(), scheme)
	if !known {
		_ = bcrypt.CompareHashAndPassword(s.passwords.decoy, s.passwords.digest(password)) // for the time it takes
		return false
	}
	return bcrypt.CompareHashAndPassword([]byte(hash), s.passwords.digest(password)) == nil
}

// Release implements domain.HashSlot.
func (s *slot) Release() { s.once.Do(func() { <-s.passwords.slots }) }

func (p *Passwords) digest(password secret.Value) []byte {
	mac := hmac.New(sha512.New384, p.key)
	mac.Write([]byte(domain.NormalPassword(password)))
	return base64.StdEncoding.AppendEncode(nil, mac.Sum(nil))
}
