package domain

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"time"

	"github.com/insulahq/insula/platform/uow"
)

// Subject is something that guesses are counted against, hashed so that the
// table of failures holds no address of a person.
type Subject struct {
	digest [sha256.Size]byte
	free   int // failures without a delay
}

// Failures without a delay. A network stands for many people, so it is given
// more.
const (
	freeForAccount = 5
	freeForNetwork = 30
)

func subject(kind, what string, free int) Subject {
	return Subject{digest: sha256.Sum256([]byte(kind + "\x00" + what)), free: free}
}

// AccountSubject is an address that somebody claims, whether or not there is
// such a user: both are slowed down alike.
func AccountSubject(claimed string) Subject {
	if address, err := ParseEmail(claimed); err == nil {
		claimed = address.Key()
	}
	return subject("account", claimed, freeForAccount)
}

// DeviceSubject is a device that has signed in to an account before.
func DeviceSubject(d Digest) Subject { return subject("device", string(d[:]), freeForAccount) }

// NetworkSubject is where a request comes from: an IPv4 address, or the /64
// that one IPv6 customer usually has.
func NetworkSubject(addr netip.Addr) Subject {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	network := "unknown"
	if addr.IsValid() {
		network = netip.PrefixFrom(addr, bits).Masked().String()
	}
	return subject("network", network, freeForNetwork)
}

// CodeSubject is the second factor of a user.
func CodeSubject(user string) Subject { return subject("code", user, freeForAccount) }

// ResetSubject is an address for which a new password is asked.
func ResetSubject(claimed string) Subject {
	if address, err := ParseEmail(claimed); err == nil {
		claimed = address.Key()
	}
	return subject("reset", claimed, 3)
}

// Digest is what is stored of the subject.
func (s Subject) Digest() []byte { return s.digest[:] }

const (
	firstDelay = time.Second
	// mostDelay keeps the longest guessing below a hundred attempts a day, and
	// somebody who mistypes from being away for long.
	mostDelay = 15 * time.Minute
	// FailureMemory is how long a failure counts.
	FailureMemory = 24 * time.Hour
)

// Delay is how long nobody may try after so many failures in a row: nothing
// at first, then twice as long each time.
func (s Subject) Delay(failures int) time.Duration {
	over := failures - s.free
	switch {
	case over < 0:
		return 0
	case over > 20: // shifted further it would overflow
		return mostDelay
	}
	return min(firstDelay<<over, mostDelay)
}

// Attempts counts failures.
type Attempts interface {
	// Blocked is until when nobody may try any of these; the zero time when
	// they may.
	Blocked(ctx context.Context, tx uow.Tx, now time.Time, subjects ...Subject) (time.Time, error)
	// Failed counts a failure against each and blocks those with too many.
	Failed(ctx context.Context, tx uow.Tx, now time.Time, subjects ...Subject) error
	// Forget drops what was counted.
	Forget(ctx context.Context, tx uow.Tx, subjects ...Subject) error
}
