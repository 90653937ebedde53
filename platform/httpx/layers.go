package httpx

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/id"
	"github.com/insulahq/insula/platform/telemetry"
)

// useLayers puts the layers around every request, outermost first.
func (s *Server) useLayers(o Options) {
	s.echo.Use(
		identifyRequest(o.IDs, o.Log),
		observe(o.Log, o.Metrics, o.Count),
		s.recover(o.Log),
		secureHeaders(),
		s.cors,
	)
	s.echo.Use(
		middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1024, Skipper: s.isTransfer}),
		middleware.ContextTimeoutWithConfig(middleware.ContextTimeoutConfig{
			Timeout:      o.RequestTimeout,
			Skipper:      s.isTransfer,
			ErrorHandler: func(err error, _ echo.Context) error { return err },
		}),
	)
}

// isTransfer marks the routes whose time and bytes are the client's.
func (s *Server) isTransfer(c echo.Context) bool {
	return s.router.streams[address{c.Request().Method, c.Path()}]
}

func identifyRequest(ids id.Source, log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			rid := ids.New().String()
			c.Response().Header().Set(echo.HeaderXRequestID, rid)
			r := &request{id: rid, origin: originOf(c, rid), log: log}
			ctx := c.Request().Context()
			attrs := append(traceAttrs(ctx), slog.String("request_id", rid))
			ctx = telemetry.With(withRequest(ctx, r), attrs...)
			c.SetRequest(c.Request().WithContext(ctx))
			return next(c)
		}
	}
}

// observe writes one log line and one measurement for each request, and counts
// it for its tenant.
func observe(log *slog.Logger, metrics *telemetry.Metrics, count func(tenant uuid.UUID, status int)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			done := metrics.RequestStarted()
			defer done()
			start := time.Now()
			if err := next(c); err != nil {
				c.Error(err)
			}
			took := time.Since(start)
			req, r, status := c.Request(), requestOf(c.Request().Context()), c.Response().Status
			metrics.ObserveRequest(r.operation, methodOf(req), status, took)
			if r.problem != "" {
				metrics.ObserveError(r.operation, r.problem)
			}
			if tenant := r.scope.Tenant.ID; tenant != uuid.Nil && count != nil {
				count(tenant, status)
			}
			log.LogAttrs(req.Context(), levelOf(status), "request",
				slog.String("method", methodOf(req)), slog.String("path", req.URL.Path), slog.Int("status", status), slog.String("code", r.problem),
				slog.String("operation", r.operation), slog.String("tenant", r.scope.Tenant.Slug),
				slog.String("caller", r.scope.Caller.Label), slog.String("address", r.origin.Addr.String()),
				slog.Int64("bytes", c.Response().Size), slog.Float64("took_ms", float64(took.Microseconds())/1000))
			return nil
		}
	}
}

func levelOf(status int) slog.Level {
	if status >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// recover turns a panic into an opaque problem and a log line with the stack.
// http.ErrAbortHandler passes: it is how a handler drops a connection.
func (s *Server) recover(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			defer func() {
				p := recover()
				if p == nil {
					return
				}
				if abort, ok := p.(error); ok && errors.Is(abort, http.ErrAbortHandler) {
					panic(p)
				}
				log.ErrorContext(c.Request().Context(), "panic", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				err = errs.ErrInternal
			}()
			return next(c)
		}
	}
}

// secureHeaders sets what a browser must be told about answers that are data,
// never pages. The docs page sets its own policy.
func secureHeaders() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("X-Frame-Options", "DENY")
			h.Set("Referrer-Policy", "no-referrer")
			h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			if c.Scheme() == "https" {
				h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
			}
			if c.Request().Method == http.MethodOptions {
				c.Response().Before(func() { allowHead(h) })
			}
			return next(c)
		}
	}
}

// clientAddress believes X-Forwarded-For only from the proxies in front.
func clientAddress(trusted []*net.IPNet) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	return echo.ExtractIPFromXFFHeader(trust(trusted)...)
}

// clientScheme believes X-Forwarded-Proto only from them.
func clientScheme(trusted []*net.IPNet) echo.SchemeExtractor {
	if len(trusted) == 0 {
		return echo.ExtractSchemeDirect()
	}
	return echo.ExtractSchemeFromHeaders(trust(trusted)...)
}

// trust takes back what Echo trusts by itself: private networks are not ours.
func trust(networks []*net.IPNet) []echo.TrustOption {
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, n := range networks {
		options = append(options, echo.TrustIPRange(n))
	}
	return options
}
