package domain

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/secret"
	"github.com/insulahq/insula/platform/uow"
)

// MaxKeyLifetime is how long an API key can last.
const MaxKeyLifetime = 366 * 24 * time.Hour

// APIKey lets a program act in the tenant. It holds the operations it lists,
// as far as the user who made it holds them.
type APIKey struct {
	ID         uuid.UUID
	UserID     uuid.UUID
	Name       string
	Digest     Digest
	Hint       string // the end of the key
	Operations []string
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt *time.Time // to the hour; nil when never
}

// NewAPIKey draws a key. The text that it returns beside it is shown once.
func NewAPIKey(id, tenant, user uuid.UUID, name string, operations []string, expires, now time.Time, random io.Reader) (APIKey, secret.Value, error) {
	called, nameErr := ParseName(name)
	var lifeErr error
	if !expires.After(now) || expires.After(now.Add(MaxKeyLifetime)) {
		lifeErr = ErrInvalid.At("#/expires_at", "must be in the future, within 366 days")
	}
	if err := together(nameErr, lifeErr); err != nil {
		return APIKey{}, secret.Value{}, err
	}
	token, err := newTenantToken(users.KeyPrefix, tenant, random)
	if err != nil {
		return APIKey{}, token, err
	}
	text := token.Reveal()
	return APIKey{
		ID: id, UserID: user, Name: called, Digest: DigestOf(token), Hint: text[len(text)-4:],
		Operations: slices.Compact(slices.Sorted(slices.Values(operations))), CreatedAt: now, ExpiresAt: expires,
	}, token, nil
}

// KeyTenant is the tenant that an API key names; false for a text that is no
// key.
func KeyTenant(text string) (uuid.UUID, bool) { return tokenTenant(users.KeyPrefix, text) }

// APIKeyView is what the trail keeps of a key.
type APIKeyView struct {
	Name       string    `json:"name"`
	Operations []string  `json:"operations"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// View shows the key without its secret.
func (k APIKey) View() APIKeyView {
	return APIKeyView{Name: k.Name, Operations: k.Operations, ExpiresAt: k.ExpiresAt}
}

// APIKeys keeps the keys of the tenant.
type APIKeys interface {
	Insert(ctx context.Context, tx uow.Tx, k APIKey) error
	// Find returns a key or ErrKeyNotFound.
	Find(ctx context.Context, tx uow.Tx, id uuid.UUID) (APIKey, error)
	// Delete removes a key. It returns ErrKeyNotFound.
	Delete(ctx context.Context, tx uow.Tx, id uuid.UUID) error
	// List returns a page of keys, newest first.
	List(ctx context.Context, tx uow.Tx, p page.Request) (page.Page[APIKey], error)
}
