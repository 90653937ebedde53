// Package service holds the operations of the usage module.
package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/usage"
	"github.com/insulahq/insula/modules/usage/domain"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Get is what a tenant sees of itself, GetOf what the operator sees of any.
var (
	Get   = op.Read("usage.get", "See how much the tenant has and does.", op.About("usage"))
	GetOf = op.Read("tenants.usage.get", "See how much a tenant has and does.", op.Landlord, op.About("usage"))
)

// Operations are all operations of the module.
var Operations = []op.Def{Get, GetOf}

// Usage tells how much tenants have and do.
type Usage struct {
	run      *op.Runner
	meters   []usage.Meter
	requests domain.Requests
	scope    scope.Request
	jobs     *op.Jobs
	tenants  tenancy.Directory
	clock    clock.Clock
}

// NewUsage makes the service of one request.
func NewUsage(run *op.Runner, m []usage.Meter, q domain.Requests, r scope.Request, j *op.Jobs, tenants tenancy.Directory, c clock.Clock) *Usage {
	return &Usage{run: run, meters: m, requests: q, scope: r, jobs: j, tenants: tenants, clock: c}
}

// Get tells of the own tenant: what it has now, and its requests from one day
// to another; zero times stand for the last days.
func (s *Usage) Get(ctx context.Context, from, to time.Time) (usage.Report, error) {
	return op.Do(ctx, s.run, Get, func(tx uow.Tx) (usage.Report, error) {
		return s.report(ctx, s.scope.Tenant, from, to, func(measure func(uow.Tx) error) error { return measure(tx) })
	})
}

// GetOf tells of any tenant, served or suspended.
func (s *Usage) GetOf(ctx context.Context, id uuid.UUID, from, to time.Time) (usage.Report, error) {
	return op.Do(ctx, s.run, GetOf.On(id.String()), func(uow.Tx) (usage.Report, error) {
		t, err := s.tenants.ByID(ctx, id)
		if err != nil {
			return usage.Report{}, err
		}
		return s.report(ctx, t, from, to, func(measure func(uow.Tx) error) error { return s.jobs.Look(ctx, t, measure) })
	})
}

// report measures inside a tenant, which within opens.
func (s *Usage) report(ctx context.Context, t tenancy.Tenant, from, to time.Time, within func(func(uow.Tx) error) error) (usage.Report, error) {
	report := usage.Report{Tenant: t, At: s.clock.Now()}
	span, err := domain.SpanOf(from, to, report.At)
	if err != nil {
		return usage.Report{}, err
	}
	if report.Days, err = s.requests.Days(ctx, t.ID, span); err != nil {
		return usage.Report{}, err
	}
	err = within(func(tx uow.Tx) error {
		for _, m := range s.meters {
			amounts, err := m.Measure(ctx, tx)
			if err != nil {
				return err
			}
			report.Amounts = append(report.Amounts, amounts...)
		}
		return nil
	})
	return report, err
}
