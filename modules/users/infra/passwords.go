package infra

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/secret"
)

const (
	// scheme stands before every stored hash and names how it was made: bcrypt
	// of the base64 of an HMAC-SHA-384 of the NFKC form. The generation of the
	// pepper follows, then the hash, which tells its cost itself:
	//
	//	hmac-sha384-bcrypt:p2:$2a$12$...
	scheme = "hmac-sha384-bcrypt:p"
	// pepperLabel derives the HMAC key of a generation from its pepper.
	pepperLabel = "insula/password/v1"
	// busyRetry is when to come back if no slot became free in time.
	busyRetry = time.Second
	// mostWaiting bounds who waits for a slot in one tenant.
	mostWaiting = 100
)

// Passwords implements domain.Hasher. The HMAC in front of bcrypt makes every
// password 64 bytes long, below the 72 that bcrypt looks at, and makes stolen
// hashes useless without the pepper, which is not in the database.
type Passwords struct {
	keys  [][]byte // by generation, from 1; the last is the current one
	cost  int
	turns *turns
	// decoy is a well-formed hash that no password has: comparing with it costs
	// what comparing with a user's costs.
	decoy []byte
}

// NewPasswords makes a hasher that computes up to slots hashes at once, each
// of the given bcrypt cost. The last pepper makes new hashes; those before it,
// oldest first, are those that stored ones may still need. An empty one has
// been given up, and passwords hashed under it match no more.
func NewPasswords(peppers []secret.Key, cost, slots int) *Passwords {
	p := &Passwords{
		cost: cost, turns: newTurns(slots, mostWaiting),
		decoy: fmt.Appendf(nil, "$2a$%02d$%s", cost, strings.Repeat(".", 22+31)),
	}
	for _, pepper := range peppers {
		var key []byte
		if !pepper.IsZero() {
			key = pepper.Derive(pepperLabel, sha512.Size384)
		}
		p.keys = append(p.keys, key)
	}
	return p
}

// Reserve implements domain.Hasher.
func (p *Passwords) Reserve(ctx context.Context, tenant uuid.UUID) (domain.HashSlot, error) {
	if !p.turns.take(ctx, tenant) {
		return nil, errs.ErrUnavailable.Because(ctx.Err()).After(busyRetry)
	}
	return &slot{passwords: p}, nil
}

type slot struct {
	passwords *Passwords
	once      sync.Once
}

// Hash implements domain.HashSlot.
func (s *slot) Hash(password secret.Value) (secret.Value, error) {
	p := s.passwords
	hash, err := bcrypt.GenerateFromPassword(digest(p.keys[len(p.keys)-1], password), p.cost)
	if err != nil {
		return secret.Value{}, fmt.Errorf("hash password: %w", err)
	}
	return secret.New(scheme + strconv.Itoa(len(p.keys)) + ":" + string(hash)), nil
}

// Matches implements domain.HashSlot.
func (s *slot) Matches(stored, password secret.Value) bool {
	p := s.passwords
	generation, hash := p.read(stored)
	if generation == 0 {
		_ = bcrypt.CompareHashAndPassword(p.decoy, digest(p.keys[len(p.keys)-1], password)) // for the time it takes
		return false
	}
	return bcrypt.CompareHashAndPassword(hash, digest(p.keys[generation-1], password)) == nil
}

// Stale implements domain.HashSlot.
func (s *slot) Stale(stored secret.Value) bool {
	p := s.passwords
	generation, hash := p.read(stored)
	cost, err := bcrypt.Cost(hash)
	return generation != len(p.keys) || err != nil || cost != p.cost
}

// Release implements domain.HashSlot.
func (s *slot) Release() { s.once.Do(s.passwords.turns.give) }

// read takes a stored hash apart. The generation is zero when it was not made
// here, or under a pepper that was given up.
func (p *Passwords) read(stored secret.Value) (generation int, hash []byte) {
	rest, known := strings.CutPrefix(stored.Reveal(), scheme)
	number, text, complete := strings.Cut(rest, ":")
	generation, err := strconv.Atoi(number)
	if !known || !complete || err != nil || generation < 1 || generation > len(p.keys) || p.keys[generation-1] == nil {
		return 0, nil
	}
	return generation, []byte(text)
}

func digest(key []byte, password secret.Value) []byte {
	mac := hmac.New(sha512.New384, key)
	mac.Write([]byte(domain.NormalPassword(password)))
	return base64.StdEncoding.AppendEncode(nil, mac.Sum(nil))
}
