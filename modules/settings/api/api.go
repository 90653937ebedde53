// Package api shows the settings of tenants over HTTP.
package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/settings"
	"github.com/insulahq/insula/modules/settings/service"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/scope"
)

// API serves the settings of tenants.
type API struct {
	settings func(scope.Request) *service.Settings
}

// New makes the routes of a process.
func New(s func(scope.Request) *service.Settings) *API { return &API{settings: s} }

const atOnce = "Changes what `values` names, all of it or nothing; null takes back what was set. It holds at the next request on every node."

// Register adds the routes.
func (a *API) Register(r *httpx.Router) {
	httpx.Get(r, service.Get, "/v1/settings", a.get)
	httpx.Patch(r, service.Update, "/v1/settings", a.update, httpx.Describe(atOnce))
	httpx.Get(r, service.GetOf, "/v1/tenants/{id}/settings", a.getOf)
	httpx.Patch(r, service.UpdateOf, "/v1/tenants/{id}/settings", a.updateOf, httpx.Describe(atOnce))
}

// SettingsTenant is the path of the settings of one tenant.
type SettingsTenant struct {
	ID uuid.UUID `path:"id" format:"uuid" doc:"The tenant's id."`
}

type getInput struct{ httpx.IfNoneMatch }

func (a *API) get(ctx context.Context, in *getInput) (*httpx.Resource[Settings], error) {
	return shown(in.IfNoneMatch)(a.settings(scope.From(ctx)).Get(ctx))
}

type getOfInput struct {
	SettingsTenant
	httpx.IfNoneMatch
}

func (a *API) getOf(ctx context.Context, in *getOfInput) (*httpx.Resource[Settings], error) {
	return shown(in.IfNoneMatch)(a.settings(scope.From(ctx)).GetOf(ctx, in.ID))
}

type updateInput struct {
	httpx.IfMatch
	Body SettingsChange
}

func (a *API) update(ctx context.Context, in *updateInput) (*httpx.Resource[Settings], error) {
	version, err := expected(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return changed(a.settings(scope.From(ctx)).Update(ctx, version, in.Body.Values))
}

type updateOfInput struct {
	SettingsTenant
	httpx.IfMatch
	Body SettingsChange
}

func (a *API) updateOf(ctx context.Context, in *updateOfInput) (*httpx.Resource[Settings], error) {
	version, err := expected(in.IfMatch)
	if err != nil {
		return nil, err
	}
	return changed(a.settings(scope.From(ctx)).UpdateOf(ctx, in.ID, version, in.Body.Values))
}

// expected is the version that the caller read. Versions of settings begin at
// 0, and those of resources at 1.
func expected(m httpx.IfMatch) (int64, error) {
	version, err := m.Version()
	if err == nil && version == httpx.AnyVersion {
		return settings.AnyVersion, nil
	}
	return version - 1, err
}

func shown(m httpx.IfNoneMatch) func(settings.Document, error) (*httpx.Resource[Settings], error) {
	return func(d settings.Document, err error) (*httpx.Resource[Settings], error) {
		if err != nil {
			return nil, err
		}
		return httpx.Show(show(d), d.Version+1, m), nil
	}
}

func changed(d settings.Document, err error) (*httpx.Resource[Settings], error) {
	if err != nil {
		return nil, err
	}
	return httpx.Changed(show(d), d.Version+1), nil
}
