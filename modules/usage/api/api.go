// Package api shows over HTTP how much tenants have and do.
package api

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/usage"
	"github.com/insulahq/insula/modules/usage/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// API serves the usage of tenants.
type API struct {
	usage func(scope.Request) *service.Usage
}

// New makes the routes of a process.
func New(u func(scope.Request) *service.Usage) *API { return &API{usage: u} }

const counted = "What the tenant has is counted now. Its requests were counted by each process, which tells of them some seconds later."

// Register adds the routes.
func (a *API) Register(r *httpx.Router) {
	httpx.Get(r, service.Get, "/v1/usage/tenant", a.get, httpx.Describe(counted))
	httpx.Get(r, service.GetOf, "/v1/tenants/{id}/usage", a.getOf, httpx.Describe(counted))
}

// UsageSpan names the days of which requests are wanted.
type UsageSpan struct {
	From string `query:"from" format:"date" doc:"The first day, in UTC; 29 days before the last one where none is given." example:"2026-11-01"`
	To   string `query:"to" format:"date" doc:"The last day; today where none is given." example:"2026-11-30"`
}

// days are the two days; zero for one that is not given. Their form was checked.
func (s UsageSpan) days() (from, to time.Time) {
	from, _ = time.Parse(time.DateOnly, s.From)
	to, _ = time.Parse(time.DateOnly, s.To)
	return from, to
}

type getInput struct{ UsageSpan }

func (a *API) get(ctx context.Context, in *getInput) (*httpx.Answer[TenantUsage], error) {
	from, to := in.days()
	return shown(a.usage(scope.From(ctx)).Get(ctx, from, to))
}

type getOfInput struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The tenant's id."`
	UsageSpan
}

func (a *API) getOf(ctx context.Context, in *getOfInput) (*httpx.Answer[TenantUsage], error) {
	from, to := in.days()
	return shown(a.usage(scope.From(ctx)).GetOf(ctx, in.ID, from, to))
}

// TenantUsage is how much a tenant has and does.
type TenantUsage struct {
	TenantID   uuid.UUID     `json:"tenant_id" format:"uuid"`
	Slug       string        `json:"slug" example:"acme"`
	MeasuredAt time.Time     `json:"measured_at" doc:"When the amounts were counted."`
	Amounts    []UsageAmount `json:"amounts" doc:"What the tenant has."`
	Requests   []UsageDay    `json:"requests" doc:"Its requests, day by day; days without any are left out."`
}

// UsageAmount is how much there is of something.
type UsageAmount struct {
	Name   string `json:"name" example:"files.bytes"`
	Unit   string `json:"unit" example:"bytes"`
	Amount int64  `json:"amount"`
}

// UsageDay is how the requests of one day went. Each counts once.
type UsageDay struct {
	Day      string `json:"day" format:"date" doc:"In UTC." example:"2026-11-30"`
	Answered int64  `json:"answered" doc:"Answered in whatever way, refusals included."`
	Limited  int64  `json:"limited" doc:"Refused with 429: there were more than there may be."`
	Failed   int64  `json:"failed" doc:"Answered with a status of 500 or above."`
}

func shown(r usage.Report, err error) (*httpx.Answer[TenantUsage], error) {
	if err != nil {
		return nil, err
	}
	body := TenantUsage{
		TenantID: r.Tenant.ID, Slug: r.Tenant.Slug, MeasuredAt: r.At,
		Amounts: make([]UsageAmount, len(r.Amounts)), Requests: make([]UsageDay, len(r.Days)),
	}
	for i, a := range r.Amounts {
		body.Amounts[i] = UsageAmount{Name: a.Name, Unit: a.Unit, Amount: a.Value}
	}
	for i, d := range r.Days {
		body.Requests[i] = UsageDay{Day: d.Day.Format(time.DateOnly), Answered: d.Answered, Limited: d.Limited, Failed: d.Failed}
	}
	return &httpx.Answer[TenantUsage]{Body: body}, nil
}
