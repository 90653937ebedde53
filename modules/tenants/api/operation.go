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
	Moved     *MoveResult     `json:"moved,omitempty" doc:"What a move has come to."`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// OperationError says why a step of long work failed.
type OperationError struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// MoveResult is how a tenant was moved.
type MoveResult struct {
	From     string `json:"from" doc:"The placement that it left." example:"main"`
	To       string `json:"to" doc:"The placement that it is in." example:"east"`
	WindowMS int64  `json:"window_ms" doc:"How long its writers waited, in milliseconds; readers did not. 0 when a crash in between has hidden it."`
	Rows     int64  `json:"rows" doc:"That were brought over, some of them more than once."`
	Bytes    int64  `json:"bytes" doc:"That they took on the way."`
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
	if o.Moved != nil {
		moved := MoveResult(*o.Moved)
		body.Moved = &moved
	}
	return body
}

// accepted answers 202 with long work and where to follow it.
func accepted(o domain.Operation) *httpx.Resource[Operation] {
	return &httpx.Resource[Operation]{Status: http.StatusAccepted, Location: "/v1/operations/" + o.ID.String(), Body: ShowOperation(o)}
}
