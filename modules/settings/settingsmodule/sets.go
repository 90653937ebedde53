// Package settingsmodule lists the providers of the settings module by lifetime.
package settingsmodule

import (
	"github.com/google/wire"

	"github.com/insulahq/insula/modules/settings"
	"github.com/insulahq/insula/modules/settings/domain"
	"github.com/insulahq/insula/modules/settings/infra"
	"github.com/insulahq/insula/modules/settings/service"
	"github.com/insulahq/insula/platform/tenancy"
)

// Process are the parts that live as long as the process.
var Process = wire.NewSet(
	infra.NewRepository, wire.Bind(new(domain.Repository), new(*infra.Repository)),
	wire.Bind(new(tenancy.SettingsSource), new(*infra.Repository)),
	service.NewDesk, wire.Bind(new(settings.Desk), new(*service.Desk)),
)

// Request are the parts of one request.
var Request = wire.NewSet(service.NewSettings)
