package infra

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/insulahq/insula/modules/users/infra/internal/usersdb"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

const (
	// keyLifetime is how long a signing key is good for when no other follows.
	keyLifetime = 365 * 24 * time.Hour
	// publishAhead is how long a key is known before it signs: longer than
	// processes take to notice it and clients keep the JWKS.
	publishAhead = 10 * time.Minute
	// overlap is how long a key verifies after another has begun to sign: the
	// longest life of an access token, and some.
	overlap = time.Hour + time.Minute
)

// KeyStore keeps the keys that sign access tokens in the control schema, the
// private halves sealed with the root key of the configuration.
type KeyStore struct {
	q       *usersdb.Queries
	control func() pg.ControlUnit
	root    secret.Key
	clock   clock.Clock
	random  io.Reader
}

// NewKeyStore makes a store. control opens units of work for the control
// schema.
func NewKeyStore(control func() pg.ControlUnit, root secret.Key, c clock.Clock, random io.Reader) *KeyStore {
	return &KeyStore{q: usersdb.New(), control: control, root: root, clock: c, random: random}
}

// KeyInfo describes a signing key without its content.
type KeyInfo struct {
	ID         string    `json:"id"`
	Generation int64     `json:"generation"`
	CreatedAt  time.Time `json:"created_at"`
	SignsFrom  time.Time `json:"signs_from"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// keys are all signing keys, the newest first, with the one that signs now;
// nil when none does.
type keys struct {
	rows   []usersdb.ControlSigningKey
	active *usersdb.ControlSigningKey
}

func (k keys) generation() int64 {
	if len(k.rows) == 0 {
		return 0
	}
	return k.rows[0].Generation
}

// read returns all keys.
func (s *KeyStore) read(ctx context.Context) (k keys, err error) {
	err = s.control().Read(ctx, func(tx uow.Tx) error {
		k.rows, err = s.q.ListSigningKeys(ctx, pg.DB(tx))
		return err
	})
	now := s.clock.Now()
	for i := range k.rows {
		if row := &k.rows[i]; !now.Before(row.SignsFrom) && now.Before(row.ExpiresAt) {
			k.active = row
			break
		}
	}
	return k, err
}

// List describes all keys, the newest first.
func (s *KeyStore) List(ctx context.Context) ([]KeyInfo, error) {
	k, err := s.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	all := make([]KeyInfo, len(k.rows))
	for i, row := range k.rows {
		all[i] = KeyInfo{ID: row.ID, Generation: row.Generation, CreatedAt: row.CreatedAt, SignsFrom: row.SignsFrom, ExpiresAt: row.ExpiresAt}
	}
	return all, nil
}

// Rotate makes the next key. It is published at once, signs after a while
// that everybody needs to learn of it, and the keys before it verify until
// their last tokens are over. Of several processes that rotate at once one
// succeeds, and that is enough: the others get no id.
func (s *KeyStore) Rotate(ctx context.Context) (id string, err error) {
	from := s.clock.Now().Add(publishAhead)
	return s.next(ctx, from, from.Add(overlap))
}

// Replace makes the next key after the others have become known to somebody
// else: it signs at once, and the keys before it verify nothing any more. A
// key that another process makes meanwhile is one of the others.
func (s *KeyStore) Replace(ctx context.Context) (id string, err error) {
	for id == "" && err == nil {
		now := s.clock.Now()
		id, err = s.next(ctx, now, now)
	}
	return id, err
}

func (s *KeyStore) next(ctx context.Context, signsFrom, othersExpire time.Time) (id string, err error) {
	k, err := s.read(ctx)
	if err == nil {
		id, err = s.add(ctx, k.generation()+1, signsFrom, othersExpire)
	}
	if err != nil {
		return "", fmt.Errorf("rotate signing keys: %w", err)
	}
	return id, nil
}

// load returns the keys as the token code wants them. When none is good to
// sign with it makes one first, which signs at once.
func (s *KeyStore) load(ctx context.Context) (active jwtx.SigningKey, all []jwtx.PublicKey, err error) {
	k, err := s.read(ctx)
	if err == nil && k.active == nil {
		now := s.clock.Now()
		if _, err = s.add(ctx, k.generation()+1, now, now.Add(overlap)); err == nil {
			k, err = s.read(ctx)
		}
	}
	if err != nil {
		return active, nil, fmt.Errorf("load signing keys: %w", err)
	}
	if k.active == nil {
		return active, nil, fmt.Errorf("%w: none", jwtx.ErrKey) // removed as soon as it was made
	}
	if active, err = jwtx.OpenKey(s.root, k.active.ID, k.active.PrivateKey); err != nil {
		return active, nil, fmt.Errorf("was the secret key of the configuration changed? %w", err)
	}
	for _, row := range k.rows {
		all = append(all, jwtx.PublicKey{ID: row.ID, Key: row.PublicKey, NotAfter: row.ExpiresAt})
	}
	return active, all, nil
}

// due reports whether it is time for the next key: the newest is as old as
// keys get, or would end before the next could take over.
func (s *KeyStore) due(ctx context.Context, every time.Duration) (bool, error) {
	k, err := s.read(ctx)
	if err != nil || len(k.rows) == 0 {
		return false, err
	}
	now, newest := s.clock.Now(), k.rows[0]
	old := every > 0 && !now.Before(newest.CreatedAt.Add(every))
	return old || !now.Before(newest.ExpiresAt.Add(-24*time.Hour)), nil
}

// add makes a key of this generation unless another process just did:
// generations are unique, so of several that start at once one makes the key
// and all read the same. It returns the id of the key that it made.
func (s *KeyStore) add(ctx context.Context, generation int64, signsFrom, othersExpire time.Time) (id string, err error) {
	key, err := jwtx.GenerateKey(s.random)
	if err != nil {
		return "", err
	}
	sealed, err := key.Seal(s.root, s.random)
	if err != nil {
		return "", err
	}
	err = s.control().Write(ctx, func(tx uow.Tx) error {
		id = ""
		made, err := s.q.InsertSigningKey(ctx, pg.DB(tx), usersdb.InsertSigningKeyParams{
			ID: key.ID(), Generation: generation, PublicKey: key.Public(time.Time{}).Key, PrivateKey: sealed,
			CreatedAt: s.clock.Now(), SignsFrom: signsFrom, ExpiresAt: signsFrom.Add(keyLifetime),
		})
		if err != nil || made == 0 {
			return err
		}
		id = key.ID()
		return s.q.RetireSigningKeys(ctx, pg.DB(tx), othersExpire, generation)
	})
	return id, err
}
