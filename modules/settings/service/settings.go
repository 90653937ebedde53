package service

import (
	"context"

	"github.com/insulahq/insula/modules/settings"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/setting"
	"github.com/insulahq/insula/platform/tenancy"
	"github.com/insulahq/insula/platform/uow"
)

// Get and Update are what a tenant does with its own settings.
var (
	Get    = op.Read("settings.get", "See the settings of the tenant.", op.About("settings"))
	Update = op.Write("settings.update", "Change settings of the tenant.", op.About("settings"))
)

// Operations are all operations of the module.
var Operations = []op.Def{Get, Update, GetOf, UpdateOf}

// Settings are the settings of tenants as a request works with them: those of
// its own tenant, and the operator's with those of any.
type Settings struct {
	run     *op.Runner
	desk    settings.Desk
	scope   scope.Request
	jobs    *op.Jobs
	tenants tenancy.Directory
}

// NewSettings makes the service of one request.
func NewSettings(run *op.Runner, d settings.Desk, r scope.Request, j *op.Jobs, tenants tenancy.Directory) *Settings {
	return &Settings{run: run, desk: d, scope: r, jobs: j, tenants: tenants}
}

// Get shows all settings of the own tenant.
func (s *Settings) Get(ctx context.Context) (settings.Document, error) {
	return op.Do(ctx, s.run, Get, func(tx uow.Tx) (settings.Document, error) { return s.desk.Show(ctx, tx) })
}

// Update changes settings of the own tenant: see settings.Desk.
func (s *Settings) Update(ctx context.Context, version int64, c settings.Change) (settings.Document, error) {
	t := s.scope.Tenant
	return op.Do(ctx, s.run, Update.On(t.ID.String()), func(tx uow.Tx) (settings.Document, error) {
		changed, err := s.change(ctx, tx, t, version, c, setting.Tenant)
		return changed.Document, err
	})
}

// change changes settings of a tenant in a unit of work of its own, whose trail
// tells of it.
func (s *Settings) change(ctx context.Context, tx uow.Tx, t tenancy.Tenant, version int64, c settings.Change, who setting.Who) (settings.Changed, error) {
	tx.Trail().On(Update.Kind, t.ID.String(), t.Slug)
	changed, err := s.desk.Change(ctx, tx, version, c, who)
	if err != nil {
		return settings.Changed{}, err
	}
	tx.Trail().Changed(changed.Before, changed.After)
	return changed, nil
}
