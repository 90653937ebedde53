package httpx

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/insulahq/insula/platform/clock"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/telemetry"
)

// Options are what a server is made of.
type Options struct {
	Gate    Gate
	Tickets TicketGate // nil: no route takes tickets
	Runner  RunnerFunc
	Limiter Limiter
	Limits  Limits
	Log     *slog.Logger
	Metrics *telemetry.Metrics
	// Count is told the status of each answer to a request of a tenant; nil
	// counts nothing. It must be quick.
	Count  func(tenant uuid.UUID, status int)
	Traces *telemetry.Traces // nil, or switched off, makes no spans
	IDs    id.Source
	Clock  clock.Clock // nil: that of the system
	// Ready tells which part is not ready to serve; nil when all are.
	Ready func(context.Context) error
	// Keys serves the JSON Web Key Set.
	Keys http.HandlerFunc

	Version        string
	PublicURL      string
	BaseDomain     string
	TrustedProxies []*net.IPNet
	CORSOrigins    []string    // web origins that may read what belongs to no tenant
	Origins        OriginsFunc // those that may read what belongs to one; nil: CORSOrigins
	MaxBodyBytes   int64
	RequestTimeout time.Duration
}

// Server is the public listener's handler.
type Server struct {
	echo       *echo.Echo
	leaving    atomic.Bool
	handler    http.Handler // echo, with spans around it when they are wanted
	router     *Router
	gate       Gate
	tickets    TicketGate
	runner     RunnerFunc
	limits     limits
	problems   problems
	baseDomain string
	ownHost    string // under which the API itself is reached
	handling   time.Duration
	patience   time.Duration

	corsOrigins []string
	origins     OriginsFunc
}

// NewServer builds the handler: layers first, then the addresses that belong
// to no module. Modules register on Router; Seal comes last.
func NewServer(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = clock.System{}
	}
	p := problems{log: o.Log}
	setHuma()
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = clientAddress(o.TrustedProxies)
	e.SchemeExtractor = clientScheme(o.TrustedProxies)
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if !c.Response().Committed {
			allowHead(c.Response().Header())
			p.write(c.Request().Context(), c.Response(), err)
		}
	}
	s := &Server{
		echo: e, gate: o.Gate, tickets: o.Tickets, runner: o.Runner, problems: p, baseDomain: o.BaseDomain, ownHost: hostOf(o.PublicURL),
		limits:   limits{limiter: o.Limiter, glances: newGlances(o.Clock), Limits: o.Limits},
		handling: o.RequestTimeout, patience: patience,
		corsOrigins: o.CORSOrigins, origins: o.Origins,
	}
	s.handler = traced(e, o.Traces)
	s.useLayers(o)
	s.router = &Router{
		api:      humaecho.New(e, apiConfig(o)),
		problems: p, maxBody: o.MaxBodyBytes, routes: map[string]route{}, streams: map[address]bool{},
	}
	s.router.api.UseMiddleware(s.admit)
	s.addOwnRoutes(o)
	return s
}

// Leave makes the server say that it is not ready: it is about to stop.
func (s *Server) Leave() { s.leaving.Store(true) }

// Router is where modules register.
func (s *Server) Router() *Router { return s.router }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handler.ServeHTTP(w, getForHead(limitClient(w, r, s.handling, s.patience)))
}

var humaOnce sync.Once

// setHuma sets what Huma keeps in package variables, once for a process.
func setHuma() {
	humaOnce.Do(func() {
		p := problems{log: slog.Default()} // outside of a request
		huma.ValidateStrictCasing = true   // {"size":1,"SIZE":-99} must not pass validation with one and bind the other
		huma.DefaultArrayNullable = false
		huma.NewError = func(status int, _ string, causes ...error) huma.StatusError {
			return p.fromHuma(context.Background(), status, causes...)
		}
		huma.NewErrorWithContext = func(hc huma.Context, status int, _ string, causes ...error) huma.StatusError {
			problem := p.fromHuma(hc.Context(), status, causes...)
			if with, ok := problem.(huma.HeadersError); ok { // which Huma asks only of a handler's error
				for name, values := range with.GetHeaders() {
					hc.SetHeader(name, values[0])
				}
			}
			return problem
		}
	})
}

// apiConfig describes the API and switches off what Huma adds by itself:
// schema links in bodies, other formats than JSON, pages that load scripts
// from elsewhere.
func apiConfig(o Options) huma.Config {
	cfg := huma.DefaultConfig("Insula", o.Version)
	cfg.Info.Description = "Tenants, users, roles, an audit trail and files for your product. " +
		"Every error is a problem document (RFC 9457) with a stable `code`."
	cfg.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	cfg.Servers = []*huma.Server{{URL: "/", Description: "This server"}}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT",
			Description: "An access token of POST /v1/auth/login. Its tenant decides; X-Tenant, if sent, must agree."},
	}
	cfg.CreateHooks = nil
	cfg.Transformers = nil
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.RejectUnknownQueryParameters = true
	return cfg
}

// Stopping says how a server ends.
type Stopping struct {
	// Notice is how long it goes on serving, not ready and without keeping
	// connections, so that balancers send their requests elsewhere.
	Notice time.Duration
	// Drain is how long running requests then get to finish.
	Drain time.Duration
	// Begin is called at the start of the notice; nil is fine.
	Begin func()
}

// Run serves until ctx ends, gives notice, then stops taking connections and
// lets running requests finish.
func Run(ctx context.Context, h http.Handler, l net.Listener, s Stopping, log *slog.Logger) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerPatience,
		IdleTimeout:       idlePatience,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	if s.Begin != nil {
		s.Begin()
	}
	srv.SetKeepAlivesEnabled(false)
	notice := time.NewTimer(s.Notice)
	defer notice.Stop()
	select {
	case err := <-failed:
		return err
	case <-notice.C:
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Drain)
	defer cancel()
	if err := srv.Shutdown(stopping); err != nil {
		return errors.Join(errors.New("some requests did not finish in time"), err, srv.Close())
	}
	return nil
}
