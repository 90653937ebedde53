// Package usagemodule lists the providers of the usage module by lifetime.
package usagemodule

import (
	"log/slog"

	"github.com/google/wire"

	"github.com/insulahq/insula/modules/usage/infra"
	"github.com/insulahq/insula/modules/usage/service"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/pg"
)

// Process are the parts that live as long as the process.
var Process = wire.NewSet(NewRequests)

// Request are the parts of one request.
var Request = wire.NewSet(service.NewUsage)

// NewRequests makes the counter of a process.
func NewRequests(control func() pg.ControlUnit, ids id.Source, c config.Tenants, now clock.Clock, log *slog.Logger) *infra.Requests {
	return infra.NewRequests(control, ids.New(), infra.Counting{Every: c.UsageFlush, Retention: c.UsageRetention}, now, log)
}
