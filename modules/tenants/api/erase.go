package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// TenantErasure is the body that erases a tenant.
type TenantErasure struct {
	Slug string `json:"slug" minLength:"3" maxLength:"40" doc:"The slug of the tenant, so that a wrong id erases nobody." example:"acme"`
}

type eraseInput struct {
	TenantID
	Body TenantErasure
}

func (a *API) erase(ctx context.Context, in *eraseInput) (*httpx.Resource[Operation], error) {
	o, err := a.tenants(scope.From(ctx)).Erase(ctx, in.ID, in.Body.Slug)
	if err != nil {
		return nil, err
	}
	a.eraser.Start(in.ID) // how it ends, the operation tells
	return accepted(o), nil
}

// Receipt is how the receipt of an erased tenant is shown.
type Receipt struct {
	TenantID      uuid.UUID `json:"tenant_id" format:"uuid"`
	Slug          string    `json:"slug"`
	BegunAt       time.Time `json:"begun_at"`
	ErasedAt      time.Time `json:"erased_at"`
	Tables        int64     `json:"tables"`
	Rows          int64     `json:"rows" doc:"Of all tables of the tenant."`
	DatabaseBytes int64     `json:"database_bytes"`
	Objects       int64     `json:"objects" doc:"Files, their versions, archives and evidence of the audit trail, in the object store."`
	ObjectBytes   int64     `json:"object_bytes"`
	Jobs          int64     `json:"jobs" doc:"Pieces of work in the job queue, done and to be done."`
	ControlRows   int64     `json:"control_rows" doc:"Rows of the control schema."`
	Note          string    `json:"note" doc:"The same as a signed note, which insula tenant receipt verify checks."`
}

type receiptInput struct {
	TenantID
}

func (a *API) receipt(ctx context.Context, in *receiptInput) (*httpx.Answer[Receipt], error) {
	r, err := a.tenants(scope.From(ctx)).Receipt(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	h := r.Holdings
	return &httpx.Answer[Receipt]{Body: Receipt{
		TenantID: r.Tenant, Slug: r.Slug, BegunAt: r.BegunAt, ErasedAt: r.ErasedAt, Tables: h.Tables, Rows: h.Rows,
		DatabaseBytes: h.DatabaseBytes, Objects: h.Objects, ObjectBytes: h.ObjectBytes, Jobs: h.Jobs,
		ControlRows: h.ControlRows, Note: r.Note,
	}}, nil
}
