package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/users/domain"
	"github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// APIKey is how an API key is shown.
type APIKey struct { //nolint:revive // the document names its schema by the type
	ID         uuid.UUID  `json:"id" format:"uuid" doc:"Identifies the key."`
	Name       string     `json:"name" doc:"What the key is for." example:"nightly import"`
	Hint       string     `json:"hint" doc:"How the key ends."`
	Operations []string   `json:"operations" doc:"What the key may do, as far as its maker may."`
	CreatedBy  uuid.UUID  `json:"created_by" format:"uuid" doc:"The user who made it. When that user goes, so does the key."`
	CreatedAt  time.Time  `json:"created_at" doc:"When it was made."`
	ExpiresAt  time.Time  `json:"expires_at" doc:"When it ends."`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" doc:"When it was last used, to the hour; absent when never."`
}

func showAPIKey(k domain.APIKey) APIKey {
	return APIKey{
		ID: k.ID, Name: k.Name, Hint: k.Hint, Operations: append([]string{}, k.Operations...), CreatedBy: k.UserID,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt,
	}
}

// NewAPIKey is the body that makes an API key.
type NewAPIKey struct {
	Name       string    `json:"name" minLength:"1" maxLength:"120" doc:"What the key is for." example:"nightly import"`
	Operations []string  `json:"operations" minItems:"1" maxItems:"200" doc:"Names of operations. You cannot give more than you hold." example:"[\"users.list\"]"`
	ExpiresAt  time.Time `json:"expires_at" doc:"When the key is to end, within 366 days."`
}

type createAPIKeyInput struct {
	Body NewAPIKey
}

// CreatedAPIKey is a new key together with its text.
type CreatedAPIKey struct {
	APIKey
	Key string `json:"key" doc:"Send it as Authorization: Bearer <key>. It is shown this once." example:"insula_key_..."`
}

func (a *API) createAPIKey(ctx context.Context, in *createAPIKeyInput) (*httpx.Answer[CreatedAPIKey], error) {
	k, err := a.keys(scope.From(ctx)).Create(ctx, service.NewAPIKey{
		Name: in.Body.Name, Operations: in.Body.Operations, Expires: in.Body.ExpiresAt,
	})
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[CreatedAPIKey]{Body: CreatedAPIKey{APIKey: showAPIKey(k.APIKey), Key: k.Text.Reveal()}}, nil
}

type listAPIKeysInput struct {
	httpx.Paging
}

func (a *API) listAPIKeys(ctx context.Context, in *listAPIKeysInput) (*httpx.Answer[httpx.List[APIKey]], error) {
	req := scope.From(ctx)
	binding := req.Tenant.ID.String() + "|" + service.ListAPIKeys.Name
	r, err := in.Request(a.cursors, binding)
	if err != nil {
		return nil, err
	}
	found, err := a.keys(req).List(ctx, r)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, binding, showAPIKey), nil
}

type revokeAPIKeyInput struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The key's id."`
}

func (a *API) revokeAPIKey(ctx context.Context, in *revokeAPIKeyInput) (*httpx.Nothing, error) {
	return nothing(a.keys(scope.From(ctx)).Revoke(ctx, in.ID))
}
