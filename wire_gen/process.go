// Package wiregen is the container: it says which parts the house is made of
// and how long each of them lives. Nothing happens here.
//
// A lifetime is the argument list of an injector (wire.go): the process takes
// the configuration, a tenant takes the process, a request takes a tenant and
// a caller. Something that lives longer than what it asks for has no provider
// for it, and generation fails with its name.
package wiregen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/google/uuid"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/insulahq/insula/modules/audit/auditmodule"
	auditdomain "github.com/insulahq/insula/modules/audit/domain"
	auditservice "github.com/insulahq/insula/modules/audit/service"
	filesdomain "github.com/insulahq/insula/modules/files/domain"
	"github.com/insulahq/insula/modules/files/filesmodule"
	filesservice "github.com/insulahq/insula/modules/files/service"
	rolesdomain "github.com/insulahq/insula/modules/roles/domain"
	rolesservice "github.com/insulahq/insula/modules/roles/service"
	"github.com/insulahq/insula/modules/settings"
	tenantsdomain "github.com/insulahq/insula/modules/tenants/domain"
	tenantsinfra "github.com/insulahq/insula/modules/tenants/infra"
	tenantsservice "github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/modules/tenants/tenantsmodule"
	"github.com/insulahq/insula/modules/usage"
	usageinfra "github.com/insulahq/insula/modules/usage/infra"
	"github.com/insulahq/insula/modules/users"
	usersdomain "github.com/insulahq/insula/modules/users/domain"
	usersinfra "github.com/insulahq/insula/modules/users/infra"
	usersservice "github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/gate"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jobs"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/mailx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/page"
	"github.com/insulahq/insula/platform/pg"
	"github.com/insulahq/insula/platform/pg/fleet"
	"github.com/insulahq/insula/platform/pg/warm"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/s3x"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
)

// Process is everything that lives as long as the process.
type Process struct {
	Config   config.Config
	Log      *slog.Logger
	Metrics  *telemetry.Metrics
	Traces   *telemetry.Traces
	Registry *prometheus.Registry
	Clock    clock.Clock
	IDs      id.Source
	Random   io.Reader

	Pool       *pg.Pool
	Migrator   *pg.Migrator // of the main placement
	Placements *pg.Placements
	Redis      *redisx.Client
	Blobs      s3x.Blobs
	Mail       mailx.Sender
	Links      mailx.Links

	Operations *op.Registry
	Decider    op.Decider
	Recorder   op.Recorder
	Retries    op.Retries
	Folds      *op.Folds
	Jobs       *op.Jobs
	Outbox     *pg.Outbox
	Live       *tenancy.Live
	Warmer     *warm.Warmer
	Gate       *gate.Gate
	KeyRing    *usersinfra.KeyRing
	Keys       *jwtx.KeySet
	Signer     *jwtx.Signer
	Cursors    *page.Codec
	Limiter    *redisx.Limiter

	// Tenants.
	Directory     *tenantsinfra.Directory
	Mirror        *tenantsinfra.Mirror
	Mirrorer      tenantsmodule.Mirrorer
	Registrations tenantsdomain.Repository
	Ledger        *tenantsinfra.Ledger
	Provisioning  *tenantsservice.Provisioning
	Provisioner   *jobs.Worker
	Stocker       tenantsmodule.Stocker
	Backups       tenantsdomain.Backups
	Copies        *tenantsinfra.Copies
	Houses        tenantsdomain.Houses
	Porter        *tenantsinfra.Porter
	Copier        tenantsmodule.Copier
	Copying       *tenantsservice.Copying
	Transfer      *tenantsinfra.Transfer
	MovePlans     *tenantsinfra.MovePlans
	Sweeper       tenantsmodule.Sweeper
	Scheduler     tenantsmodule.Scheduler
	Grace         tenantsservice.Grace
	Receipts      tenantsdomain.ReceiptKey
	Erasures      *tenantsmodule.Erasures
	Eraser        tenantsmodule.Eraser
	Scopes        *lru.Cache[uuid.UUID, *Tenant]

	// Users.
	People        *usersservice.Directory
	Access        *usersservice.Access
	OneTimeTokens usersdomain.OneTimeTokens
	APIKeys       usersdomain.APIKeys
	Inviter       *usersservice.Inviter
	Standing      users.Standing
	KeyScopes     users.KeyScopes
	Tickets       users.Tickets
	Post          *usersservice.Post

	// Roles.
	Catalogue *rolesdomain.Catalogue
	Standings rolesservice.Standings

	// Audit.
	Tree      auditdomain.Tree
	Published auditdomain.Published
	HeadKeys  auditdomain.HeadKeys
	Sealing   *auditservice.Sealing
	Sealer    auditmodule.Sealer
	Retention *auditservice.Retention
	Remover   auditmodule.Remover
	Tails     *auditmodule.Tails

	// Settings.
	Settings     *tenancy.Settings
	Fresh        tenancy.Fresh
	SettingsDesk settings.Desk

	// Usage.
	Meters   []usage.Meter
	Requests *usageinfra.Requests

	// Files.
	Files        filesdomain.Keeper
	FileScanner  filesdomain.Scanner
	FilePolicies *filesmodule.Policies
	FileTokens   *filesservice.Tokens
}

// Schemas is what migrating needs.
type Schemas struct {
	Placements *pg.Placements
	Fleet      *fleet.Fleet
}

// Ready tells which part the process needs is away. Redis is not asked: every
// path works without it.
func (p *Process) Ready(ctx context.Context) error {
	return errors.Join(
		away("database", p.Pool.Ready(ctx)),
		away("object store", p.Blobs.Ready(ctx)),
	)
}

func away(part string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", part, err)
}
