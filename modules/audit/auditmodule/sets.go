// Package auditmodule has the provider sets of the audit module.
package auditmodule

import (
	"github.com/google/wire"

	"github.com/insulahq/insula/modules/audit/domain"
	"github.com/insulahq/insula/modules/audit/infra"
	"github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/platform/op"
)

// Process lives as long as the process.
var Process = wire.NewSet(
	infra.NewRecorder, wire.Bind(new(op.Recorder), new(*infra.Recorder)),
)

// Request lives as long as a request. It takes the runner.
var Request = wire.NewSet(
	infra.NewRepository, wire.Bind(new(domain.Repository), new(*infra.Repository)),
	service.NewAudit,
)
