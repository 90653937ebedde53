// Package api is the HTTP side of the audit trail.
package api

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/scope"
)

// API serves the module's routes.
type API struct {
	service  func(scope.Request) *service.Audit
	evidence func(scope.Request) *service.Evidence
	viewing  func(scope.Request) *service.Viewing
	cursors  *page.Codec
}

// New makes the API; service, evidence and viewing give the services of a
// request.
func New(service func(scope.Request) *service.Audit, evidence func(scope.Request) *service.Evidence, viewing func(scope.Request) *service.Viewing, cursors *page.Codec) *API {
	return &API{service: service, evidence: evidence, viewing: viewing, cursors: cursors}
}

// Register adds the routes.
func (a *API) Register(r *httpx.Router) {
	httpx.Get(r, service.List, "/v1/audit/events", a.list)
	httpx.Get(r, service.Get, "/v1/audit/events/{id}", a.get)
	httpx.GetStream(r, service.Export, "/v1/audit/export", []string{typeNDJSON, typeCSV}, a.export)
	httpx.GetStream(r, service.Stream, "/v1/audit/stream", []string{typeEvents}, a.stream, httpx.Ticketed)
	httpx.Post(r, service.Ticket, "/v1/audit/stream-tickets", a.ticket, httpx.Secret, httpx.Describe(
		"The `EventSource` of browsers sends no token: open `/v1/audit/stream?ticket=…` with it, once and within half a minute. "+
			"Get another one, and give the last `id` as `last_event_id`, when the connection breaks."))
	httpx.Get(r, service.Verify, "/v1/audit/verify", a.verify, httpx.Streams)
	httpx.Get(r, service.Key, "/v1/audit/key", a.key)
}

// AuditFilters are the query parameters that a search and an export share.
type AuditFilters struct {
	Actor      string    `query:"actor" format:"uuid" doc:"Only what this user did."`
	Operation  string    `query:"operation" maxLength:"100" pattern:"^[a-z][a-z_.]*$" doc:"Only this operation, or all that begin so when it ends with a dot." example:"users."`
	TargetKind string    `query:"target_kind" maxLength:"100" doc:"Only what was done to this sort of thing." example:"user"`
	TargetID   string    `query:"target_id" maxLength:"200" doc:"Only what was done to the thing with this identifier."`
	Outcome    string    `query:"outcome" enum:"done,denied,failed" doc:"Only what ended so."`
	From       time.Time `query:"from" format:"date-time" doc:"Only from this instant on."`
	To         time.Time `query:"to" format:"date-time" doc:"Only before this instant."`
	RequestID  string    `query:"request_id" maxLength:"200" doc:"Only what this request did."`
	Address    string    `query:"address" maxLength:"100" doc:"Only what came from this network address." example:"192.0.2.7"`
	Text       string    `query:"text" maxLength:"200" doc:"Only changes whose values have all these words. A record is found by words as soon as it is sealed." example:"ada@example.com"`
}

func (in *AuditFilters) spec() (domain.Spec, error) {
	s := domain.Spec{
		Operation: in.Operation, TargetKind: in.TargetKind, TargetID: in.TargetID, Outcome: in.Outcome,
		From: in.From, To: in.To, RequestID: in.RequestID, Address: in.Address, Text: in.Text,
	}
	if in.Actor == "" {
		return s, nil
	}
	actor, err := id.Parse(in.Actor)
	if err != nil {
		return s, errs.ErrInvalid.At("query.actor", "is not an identifier")
	}
	s.Actor = &actor
	return s, nil
}

type listInput struct {
	AuditFilters
	httpx.Paging
}

// binding ties a cursor to its tenant and filters.
func (in *listInput) binding(tenant uuid.UUID) string {
	return fmt.Sprintf("%s %s %q", tenant, service.List.Name, []string{
		in.Actor, in.Operation, in.TargetKind, in.TargetID, in.Outcome,
		in.From.UTC().Format(time.RFC3339Nano), in.To.UTC().Format(time.RFC3339Nano), in.RequestID, in.Address, in.Text,
	})
}

func (a *API) list(ctx context.Context, in *listInput) (*httpx.Answer[httpx.List[AuditEvent]], error) {
	r := scope.From(ctx)
	spec, err := in.spec()
	if err != nil {
		return nil, err
	}
	binding := in.binding(r.Tenant.ID)
	p, err := in.Request(a.cursors, binding)
	if err != nil {
		return nil, err
	}
	found, err := a.service(r).List(ctx, spec, p)
	if err != nil {
		return nil, err
	}
	return httpx.ListOf(found, a.cursors, binding, showEvent), nil
}

type getInput struct {
	ID    string `path:"id" format:"uuid" doc:"Identifier of the event."`
	Proof int    `query:"proof" minimum:"0" maximum:"1" doc:"1: with the proof that the event is part of the sealed trail."`
	httpx.IfNoneMatch
}

// onlyVersion is that of every event: events do not change.
const onlyVersion = 1

func (a *API) get(ctx context.Context, in *getInput) (*httpx.Resource[AuditEvent], error) {
	key, err := id.Parse(in.ID)
	if err != nil {
		return nil, domain.ErrNotFound
	}
	if in.Proof == 1 {
		return a.prove(ctx, key)
	}
	found, err := a.service(scope.From(ctx)).Get(ctx, key)
	if err != nil {
		return nil, err
	}
	return httpx.Show(showEvent(found), onlyVersion, in.IfNoneMatch), nil
}
