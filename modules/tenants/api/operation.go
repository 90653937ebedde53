package api

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants/domain"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// Operation is how long work is shown.
type Operation struct {
	ID        uuid.UUID       `json:"id" format:"uuid"`
	Kind      string          `json:"kind" example:"tenants.create"`
	TenantID  uuid.UUID       `json:"tenant_id" format:"uuid"`
	Status    string          `json:"status" enum:"running,succeeded,failed"`
	Progress  int             `json:"progress" doc:"Per cent."`
	Error     *OperationError `json:"error,omitempty" doc:"Why the last try failed."`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// OperationError says why a step of long work failed.
type OperationError struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

type operationInput struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The operation's id."`
}

func (a *API) operation(ctx context.Context, in *operationInput) (*httpx.Answer[Operation], error) {
	o, err := a.tenants(scope.From(ctx)).GetOperation(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &httpx.Answer[Operation]{Body: ShowOperation(o)}, nil
}

// ShowOperation makes the document of long work.
func ShowOperation(o domain.Operation) Operation {
	body := Operation{
		ID: o.ID, Kind: o.Kind, TenantID: o.TenantID, Status: string(o.Status), Progress: o.Progress,
		CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
	}
	if o.ErrorCode != "" {
		body.Error = &OperationError{Code: o.ErrorCode, Detail: o.ErrorDetail}
	}
	return body
}

// accepted answers 202 with long work and where to follow it.
func accepted(o domain.Operation) *httpx.Resource[Operation] {
	return &httpx.Resource[Operation]{Status: http.StatusAccepted, Location: "/v1/operations/" + o.ID.String(), Body: ShowOperation(o)}
}
