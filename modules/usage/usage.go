// Package usage is the contract of the usage module: how much each tenant has
// and does, as other modules count it and as the house counts its requests.
package usage

import (
	"context"
	"time"

	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Meter counts what a module keeps for the tenant of a unit of work.
type Meter interface {
	Measure(ctx context.Context, tx uow.Tx) ([]Amount, error)
}

// Amount is how much there is of something now.
type Amount struct {
	Name  string // "<module>.<what>"
	Unit  string // "bytes", "users"
	Value int64
}

// Day is how the requests of a tenant went on one day. Each counts once.
type Day struct {
	Day      time.Time // when it began, in UTC
	Answered int64     // in whatever way, refusals included
	Limited  int64     // refused because the tenant, or its user, was over its rate (429)
	Failed   int64     // for no fault of the client's (5xx)
}

// Report is what a tenant has, and what it has done.
type Report struct {
	Tenant  tenancy.Tenant
	At      time.Time
	Amounts []Amount
	Days    []Day // in order; a day without requests is left out
}
