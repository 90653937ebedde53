package wiregen

import (
	"context"
	"fmt"
	"net/http"
	"time"

	auditapi "github.com/insulahq/insula/modules/audit/api"
	"github.com/insulahq/insula/modules/audit/auditmodule"
	auditservice "github.com/insulahq/insula/modules/audit/service"
	filesapi "github.com/insulahq/insula/modules/files/api"
	"github.com/insulahq/insula/modules/files/filesmodule"
	filesservice "github.com/insulahq/insula/modules/files/service"
	rolesapi "github.com/insulahq/insula/modules/roles/api"
	rolesservice "github.com/insulahq/insula/modules/roles/service"
	settingsapi "github.com/insulahq/insula/modules/settings/api"
	settingsservice "github.com/insulahq/insula/modules/settings/service"
	tenantsapi "github.com/insulahq/insula/modules/tenants/api"
	tenantsservice "github.com/insulahq/insula/modules/tenants/service"
	"github.com/insulahq/insula/modules/tenants/tenantsmodule"
	usageapi "github.com/insulahq/insula/modules/usage/api"
	usageservice "github.com/insulahq/insula/modules/usage/service"
	usersapi "github.com/insulahq/insula/modules/users/api"
	usersservice "github.com/insulahq/insula/modules/users/service"
	"github.com/insulahq/insula/modules/users/usersmodule"
	"github.com/insulahq/insula/platform/config"
	"github.com/insulahq/insula/platform/httpx"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/jwtx"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/setting"
)

// Module adds its routes to the house.
type Module interface {
	Register(r *httpx.Router)
}

// modules is the one list of modules that have routes.
func modules(p *Process) []Module {
	return []Module{
		tenantsapi.New(in(p, requestTenants), p.Provisioner, p.Eraser, p.Cursors, tenantsapi.Patience),
		tenantsapi.NewBackups(in(p, requestBackups), p.Copier.Worker, p.Cursors),
		usersapi.New(usersapi.Services{
			Users: in(p, requestUsers), Auth: in(p, requestAuth), Me: in(p, requestMe), APIKeys: in(p, requestAPIKeys),
		}, p.Cursors),
		rolesapi.New(in(p, requestRoles), p.Cursors),
		auditapi.New(in(p, requestAudit), in(p, requestEvidence), in(p, requestViewing), p.Cursors),
		filesapi.New(in(p, requestFiles), p.Cursors, p.Config.Limits.MaxFileBytes, p.Config.HTTP.PublicURL),
		settingsapi.New(in(p, requestSettings)),
		usageapi.New(in(p, requestUsage)),
	}
}

// Operations is every operation of every module.
func Operations() *op.Registry {
	return op.NewRegistry(
		tenantsservice.Operations,
		usersservice.Operations,
		rolesservice.Operations,
		auditservice.Operations,
		filesservice.Operations,
		settingsservice.Operations,
		usageservice.Operations,
	)
}

// Settings is every setting of every module, with the installation's defaults.
func Settings(c config.Config) *setting.Registry {
	return setting.NewRegistry(
		tenantsmodule.Settings(c.Limits, c.HTTP, c.Tenants),
		usersmodule.Settings(c.Security),
		auditmodule.Settings(c.Audit),
		filesmodule.Settings(c.Limits, c.Files),
	)
}

// in turns an injector of the request lifetime into what an API asks for.
func in[T any](p *Process, build func(*Tenant, scope.Request) T) func(scope.Request) T {
	return func(r scope.Request) T { return build(p.tenant(r.Tenant), r) }
}

// NewServer makes the public handler with the routes of all modules, sealed.
func NewServer(p *Process, version string) (*httpx.Server, error) {
	s := httpx.NewServer(httpx.Options{
		Gate: p.Gate, Tickets: p.Gate, Runner: p.runnerOf, Limiter: p.Limiter, Limits: newLimits(p.Config.Limits, p.Settings),
		Log: p.Log, Metrics: p.Metrics, Traces: p.Traces, IDs: p.IDs, Clock: p.Clock, Ready: p.Ready, Keys: jwtx.Handler(p.Keys, p.Clock),
		Version: version, PublicURL: p.Config.HTTP.PublicURL, BaseDomain: p.Config.HTTP.BaseDomain,
		TrustedProxies: networks(p.Config.HTTP.TrustedProxies), CORSOrigins: p.Config.HTTP.CORSOrigins,
		Origins:      tenantsmodule.Origins(p.Settings, p.Fresh),
		Count:        p.Requests.Count,
		MaxBodyBytes: p.Config.Limits.MaxBodyBytes, RequestTimeout: p.Config.HTTP.RequestTimeout,
	})
	return s, compose(s, p)
}

func compose(s *httpx.Server, p *Process) error {
	for _, m := range modules(p) {
		m.Register(s.Router())
	}
	if err := s.Seal(Operations().All()); err != nil {
		return fmt.Errorf("the house does not close: %w", err)
	}
	return nil
}

// documentVersion stands in the committed document, which belongs to the
// source and not to a build.
const documentVersion = "v1"

// Document is the OpenAPI document of the API. It needs no part to be
// running: no handler is called.
func Document() ([]byte, error) {
	s := httpx.NewServer(httpx.Options{
		IDs: id.System{}, Keys: http.NotFound, Version: documentVersion, RequestTimeout: time.Minute,
		Ready: func(context.Context) error { return nil },
	})
	if err := compose(s, &Process{}); err != nil {
		return nil, err
	}
	return s.Document()
}
