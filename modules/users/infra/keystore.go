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

// keyLifetime is how long a signing key verifies after it was made.
const keyLifetime = 365 * 24 * time.Hour

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

// LoadKeys reads the keys: the newest signs, and all verify until they expire.
// When none is good any more it makes the next generation first.
func (s *KeyStore) LoadKeys(ctx context.Context) (*jwtx.KeySet, error) {
	keys, err := s.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load signing keys: %w", err)
	}
	return keys, nil
}

func (s *KeyStore) load(ctx context.Context) (*jwtx.KeySet, error) {
	now := s.clock.Now()
	rows, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || !now.Before(rows[0].ExpiresAt) {
		var last int64
		if len(rows) > 0 {
			last = rows[0].Generation
		}
		if err := s.add(ctx, last+1, now); err != nil {
			return nil, err
		}
		if rows, err = s.list(ctx); err != nil {
			return nil, err
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: none", jwtx.ErrKey) // removed as soon as it was made
	}
	return s.open(rows)
}

// list returns all keys, the newest first.
func (s *KeyStore) list(ctx context.Context) (rows []usersdb.ControlSigningKey, err error) {
	err = s.control().Read(ctx, func(tx uow.Tx) error {
		rows, err = s.q.ListSigningKeys(ctx, pg.DB(tx))
		return err
	})
	return rows, err
}

// add makes a key of this generation unless another process just did:
// generations are unique, so of several that start at once one makes the key
// and all read the same.
func (s *KeyStore) add(ctx context.Context, generation int64, now time.Time) error {
	key, err := jwtx.GenerateKey(s.random)
	if err != nil {
		return err
	}
	sealed, err := key.Seal(s.root, s.random)
	if err != nil {
		return err
	}
	return s.control().Write(ctx, func(tx uow.Tx) error {
		return s.q.InsertSigningKey(ctx, pg.DB(tx), usersdb.InsertSigningKeyParams{
			ID: key.ID(), Generation: generation, PublicKey: key.Public(time.Time{}).Key, PrivateKey: sealed,
			CreatedAt: now, ExpiresAt: now.Add(keyLifetime),
		})
	})
}

func (s *KeyStore) open(rows []usersdb.ControlSigningKey) (*jwtx.KeySet, error) {
	active, err := jwtx.OpenKey(s.root, rows[0].ID, rows[0].PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("was the secret key of the configuration changed? %w", err)
	}
	public := make([]jwtx.PublicKey, len(rows))
	for i, row := range rows {
		public[i] = jwtx.PublicKey{ID: row.ID, Key: row.PublicKey, NotAfter: row.ExpiresAt}
	}
	return jwtx.NewKeySet(active, public...)
}
