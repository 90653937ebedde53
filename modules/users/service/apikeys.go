package service

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// API keys let programs act in the tenant.
var (
	CreateAPIKey = op.Write("apikeys.create", "Make an API key for a program.", op.About("apikey"))
	ListAPIKeys  = op.Read("apikeys.list", "List the API keys of the tenant.", op.About("apikey"))
	RevokeAPIKey = op.Write("apikeys.revoke", "Revoke an API key, at once.", op.About("apikey"))
)

// APIKeys is the keys of the tenant as those see them who manage them.
type APIKeys struct {
	scope  scope.Request
	run    *op.Runner
	keys   domain.APIKeys
	post   *Post
	clock  clock.Clock
	ids    id.Source
	random io.Reader
}

// NewAPIKeys makes the service of one request.
func NewAPIKeys(r scope.Request, run *op.Runner, keys domain.APIKeys, p *Post, c clock.Clock, ids id.Source, random io.Reader) *APIKeys {
	return &APIKeys{scope: r, run: run, keys: keys, post: p, clock: c, ids: ids, random: random}
}

// NewAPIKey says what a key is for.
type NewAPIKey struct {
	Name       string
	Operations []string
	Expires    time.Time
}

// CreatedAPIKey is a new key with its text, which nobody can read again.
type CreatedAPIKey struct {
	domain.APIKey
	Text secret.Value
}

// Create makes a key that holds no more than its maker. It returns
// domain.ErrKeyBeyondOwn for an operation that the caller does not hold, or
// that no role can hold.
func (s *APIKeys) Create(ctx context.Context, in NewAPIKey) (CreatedAPIKey, error) {
	e, err := op.Do(ctx, s.run, CreateAPIKey, func(tx uow.Tx) (Envelope, error) {
		me := s.scope.Caller
		if me.Kind != authn.User {
			return Envelope{}, domain.ErrKeyByKey
		}
		for _, name := range in.Operations {
			if _, held := me.Grants.Role(name); !held {
				return Envelope{}, domain.ErrKeyBeyondOwn
			}
		}
		k, text, err := domain.NewAPIKey(s.ids.New(), s.scope.Tenant.ID, me.ID, in.Name, in.Operations, in.Expires, s.clock.Now(), s.random)
		if err != nil {
			return Envelope{}, err
		}
		tx.Trail().On("apikey", k.ID.String(), k.Name)
		tx.Trail().Changed(nil, k.View())
		if err := s.keys.Insert(ctx, tx, k); err != nil {
			return Envelope{}, err
		}
		return s.post.seal(CreateAPIKey, sealedAPIKey{Key: k, Text: text.Reveal()})
	})
	if err != nil {
		return CreatedAPIKey{}, err
	}
	var made sealedAPIKey
	err = s.post.unseal(CreateAPIKey, e, &made)
	return CreatedAPIKey{APIKey: made.Key, Text: secret.New(made.Text)}, err
}

// sealedAPIKey is a CreatedAPIKey as it is kept, sealed, for a request that
// comes again.
type sealedAPIKey struct {
	Key  domain.APIKey `json:"key"`
	Text string        `json:"text"`
}

// List returns a page of the tenant's keys, newest first.
func (s *APIKeys) List(ctx context.Context, r page.Request) (page.Page[domain.APIKey], error) {
	return op.Do(ctx, s.run, ListAPIKeys, func(tx uow.Tx) (page.Page[domain.APIKey], error) {
		return s.keys.List(ctx, tx, r)
	})
}

// Revoke removes a key: its next request is refused. It returns
// domain.ErrKeyNotFound.
func (s *APIKeys) Revoke(ctx context.Context, key uuid.UUID) error {
	_, err := op.Do(ctx, s.run, RevokeAPIKey.On(key.String()), func(tx uow.Tx) (struct{}, error) {
		k, err := s.keys.Find(ctx, tx, key)
		if err != nil {
			return struct{}{}, err
		}
		tx.Trail().On("apikey", k.ID.String(), k.Name)
		tx.Trail().Changed(k.View(), nil)
		return struct{}{}, s.keys.Delete(ctx, tx, key)
	})
	return err
}
