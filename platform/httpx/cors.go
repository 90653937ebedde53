package httpx

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/tenancy"
)

// OriginsFunc tells which web origins may read the answer to a request.
type OriginsFunc func(context.Context, scope.Request) []string

// What pages from elsewhere may send and read.
var (
	corsMethods = strings.Join([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, ", ")
	corsSend    = strings.Join([]string{"Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key", "X-Tenant", "Range", "If-Range"}, ", ")
	corsRead    = strings.Join([]string{"ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", echo.HeaderXRequestID,
		"Content-Disposition", "Content-Range", "Accept-Ranges", "Repr-Digest"}, ", ")
)

// corsAge is for how many seconds a browser remembers the answer to a preflight.
const corsAge = "600"

// cors decides which pages from other origins may call the API. Tokens travel
// in a header that no browser sends by itself, so what is at stake is whether
// a page may read an answer: that is decided when the tenant is known (share).
//
// A preflight names neither token nor tenant. Where the host names one, that
// tenant's origins are asked; elsewhere it is granted to every origin, and the
// request that follows is answered unreadably if its tenant does not allow it.
func (s *Server) cors(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, h := c.Request(), c.Response().Header()
		h.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if origin == "" {
			return next(c)
		}
		if slices.Contains(s.corsOrigins, origin) {
			shareWith(h, origin)
		}
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			return next(c)
		}
		if !s.mayAsk(r, origin) {
			return next(c)
		}
		h.Add("Vary", "Access-Control-Request-Method")
		h.Add("Vary", "Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Methods", corsMethods)
		h.Set("Access-Control-Allow-Headers", corsSend)
		h.Set("Access-Control-Max-Age", corsAge)
		return c.NoContent(http.StatusNoContent)
	}
}

// mayAsk decides about a preflight.
func (s *Server) mayAsk(r *http.Request, origin string) bool {
	if slices.Contains(s.corsOrigins, origin) || s.origins == nil {
		return slices.Contains(s.corsOrigins, origin)
	}
	label := subdomain(r.Host, s.baseDomain, s.ownHost)
	if label == "" {
		return true
	}
	visit, err := s.gate.Visit(r.Context(), tenancy.Hints{Subdomain: label}, requestOf(r.Context()).origin)
	return err == nil && slices.Contains(s.origins(r.Context(), visit), origin)
}

// share lets the page that asks read the answer, or not, as its tenant wants.
func (s *Server) share(ctx context.Context, h http.Header, origin string, r scope.Request) {
	if origin == "" || s.origins == nil {
		return
	}
	if slices.Contains(s.origins(ctx, r), origin) {
		shareWith(h, origin)
		return
	}
	h.Del("Access-Control-Allow-Origin") // what the installation allows, this tenant does not
	h.Del("Access-Control-Expose-Headers")
}

func shareWith(h http.Header, origin string) {
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", corsRead)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}
