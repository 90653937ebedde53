//go:build wireinject

package wiregen

import (
	"context"
	"io"

	"github.com/google/wire"

	"github.com/insulahq/insula/modules/audit/auditmodule"
	auditservice "github.com/insulahq/insula/modules/audit/service"
	"github.com/insulahq/insula/modules/files/filesmodule"
	filesservice "github.com/insulahq/insula/modules/files/service"
	"github.com/insulahq/insula/modules/roles/rolesmodule"
	rolesservice "github.com/insulahq/insula/modules/roles/service"
	settingsservice "github.com/insulahq/insula/modules/settings/service"
	"github.com/insulahq/insula/modules/settings/settingsmodule"
	tenantsservice "github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/modules/tenants/tenantsmodule"
	usagedomain "github.com/insulahq/insula/modules/usage/domain"
	usageinfra "github.com/insulahq/insula/modules/usage/infra"
	usageservice "github.com/insulahq/insula/modules/usage/service"
	"github.com/insulahq/insula/modules/usage/usagemodule"
	usersinfra "github.com/insulahq/insula/modules/users/infra"
	usersservice "github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/modules/users/usersmodule"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/gate"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/fleet"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
)

// The process lifetime: everything is made of the configuration.

var process = wire.NewSet(
	wire.FieldsOf(new(config.Config), "HTTP", "Security", "Limits", "Audit", "Tenants", "Roles", "Files"),
	newLogger, telemetry.NewRegistry, newMetrics, newTraces,
	newPool, newControl, newLive, wire.Bind(new(tenancy.Directory), new(*tenancy.Live)), wire.Bind(new(gate.Tenants), new(*tenancy.Live)), newMigrator, newPlacements, newOwnerControl, newOwners, newFoundry,
	newRedis, newLimiter, newLinks, newCursors, newScopes, newSeeders, newTrails, newLandlord,
	newCarriers, newKeepers, newSettlers,
	wire.Bind(new(op.Units), new(*pg.Pool)),
	pg.NewRetries, wire.Bind(new(op.Retries), new(*pg.Retries)),
	pg.NewOutbox, wire.Bind(new(jobs.Outbox), new(*pg.Outbox)),
	op.NewJobs, op.NewFolds, gate.New, Operations,
	tenantsmodule.Process, usersmodule.Process, rolesmodule.Process, auditmodule.Process, filesmodule.Process, settingsmodule.Process, usagemodule.Process, newMeters,
	Settings, tenancy.NewSettings, newFresh, newShares, newWarmer, wire.Bind(new(gate.Settings), new(*tenancy.Settings)), wire.Bind(new(usersinfra.Settings), new(*tenancy.Settings)),
	wire.Struct(new(Process), "*"),
)

var production = wire.NewSet(
	newRandom,
	wire.Value(clock.System{}), wire.Bind(new(clock.Clock), new(clock.System)),
	wire.Value(id.System{}), wire.Bind(new(id.Source), new(id.System)),
	newBlobs, wire.Bind(new(s3x.Blobs), new(*s3x.Store)),
	newMail, wire.Bind(new(mailx.Sender), new(*mailx.SMTP)),
)

// NewProcess makes the process; log is where its log goes.
func NewProcess(ctx context.Context, c config.Config, log io.Writer) (*Process, func(), error) {
	panic(wire.Build(process, production))
}

// NewTestProcess makes the process with other infrastructure.
func NewTestProcess(ctx context.Context, c config.Config, log io.Writer, d Doubles) (*Process, func(), error) {
	panic(wire.Build(process, wire.FieldsOf(new(Doubles), "Clock", "IDs", "Random", "Blobs", "Mail")))
}

// NewSchemas makes what migrating needs, and nothing that needs the schemas
// to be there already.
func NewSchemas(ctx context.Context, c config.Config) (*Schemas, func(), error) {
	panic(wire.Build(newMigrator, newPlacements, withoutMetrics, wire.Value(clock.System{}), wire.Bind(new(clock.Clock), new(clock.System)), fleet.New, wire.Struct(new(Schemas), "*")))
}

// The tenant lifetime: a tenant takes the process.

func newTenant(p *Process, t tenancy.Tenant) *Tenant {
	panic(wire.Build(wire.Struct(new(Tenant), "*")))
}

// The request lifetime: a request takes a tenant, and the scope that names
// its caller.

var request = wire.NewSet(
	wire.FieldsOf(new(*Tenant), "Process", "Tenant"),
	wire.FieldsOf(new(*Process),
		"Log", "Metrics", "Clock", "IDs", "Pool", "Blobs", "Operations", "Decider", "Recorder", "Retries", "Folds", "Jobs", "Outbox", "Live",
		"Random", "Mail", "Registrations", "Receipts", "Grace", "Backups", "Houses", "People", "Access", "OneTimeTokens", "APIKeys", "Inviter", "Post", "Standing", "KeyScopes", "Tickets",
		"Catalogue", "Standings", "Files", "FileScanner", "FilePolicies", "FileTokens", "Tree", "Published", "HeadKeys", "Tails", "SettingsDesk", "Meters", "Requests"),
	wire.Bind(new(jobs.Outbox), new(*pg.Outbox)),
	newUnit, newRunner,
)

func requestRunner(t *Tenant, r scope.Request) *op.Runner { panic(wire.Build(request)) }

func requestTenants(t *Tenant, r scope.Request) *tenantsservice.Tenants {
	panic(wire.Build(request, tenantsmodule.Request))
}

func requestBackups(t *Tenant, r scope.Request) *tenantsservice.Backups {
	panic(wire.Build(request, tenantsmodule.Request))
}

func requestUsers(t *Tenant, r scope.Request) *usersservice.Users {
	panic(wire.Build(request, usersmodule.Request))
}

func requestAuth(t *Tenant, r scope.Request) *usersservice.Auth {
	panic(wire.Build(request, usersmodule.Request))
}

func requestMe(t *Tenant, r scope.Request) *usersservice.Me {
	panic(wire.Build(request, usersmodule.Request))
}

func requestAPIKeys(t *Tenant, r scope.Request) *usersservice.APIKeys {
	panic(wire.Build(request, usersmodule.Request))
}

func requestMailroom(t *Tenant, r scope.Request) *usersservice.Mailroom {
	panic(wire.Build(request, usersmodule.Request))
}

func requestRoles(t *Tenant, r scope.Request) *rolesservice.Roles {
	panic(wire.Build(request, rolesmodule.Request))
}

func requestAudit(t *Tenant, r scope.Request) *auditservice.Audit {
	panic(wire.Build(request, auditmodule.Request))
}

func requestEvidence(t *Tenant, r scope.Request) *auditservice.Evidence {
	panic(wire.Build(request, auditmodule.Request))
}

func requestViewing(t *Tenant, r scope.Request) *auditservice.Viewing {
	panic(wire.Build(request, wire.Bind(new(auditservice.Tails), new(*auditmodule.Tails)), auditmodule.Request))
}

func requestSettings(t *Tenant, r scope.Request) *settingsservice.Settings {
	panic(wire.Build(request, wire.Bind(new(tenancy.Directory), new(*tenancy.Live)), settingsmodule.Request))
}

func requestUsage(t *Tenant, r scope.Request) *usageservice.Usage {
	panic(wire.Build(request, wire.Bind(new(tenancy.Directory), new(*tenancy.Live)), wire.Bind(new(usagedomain.Requests), new(*usageinfra.Requests)), usagemodule.Request))
}

func requestFiles(t *Tenant, r scope.Request) *filesservice.Files {
	panic(wire.Build(request, filesmodule.Request))
}
