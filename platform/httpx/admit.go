package httpx

import (
	"context"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/errs"
	"github.com/insulahq/insula/platform/op"
	"github.com/insulahq/insula/platform/redisx"
	"github.com/insulahq/insula/platform/scope"
	"github.com/insulahq/insula/platform/telemetry"
	"github.com/insulahq/insula/platform/tenancy"
)

// Gate finds out who is asking and in which tenant. With a token the tenant
// is the token's and the hints must agree; without one the hints decide.
type Gate interface {
	// Recognize tells who presents a token, as far as that can be told without
	// asking anybody.
	Recognize(token string) (scope.Bearer, error)
	// Admit lets in who was recognized. It returns the scope also together with
	// an error where the caller is known, so that the refusal can be recorded.
	Admit(ctx context.Context, b scope.Bearer, hints tenancy.Hints, origin authn.Origin) (scope.Request, error)
	// Visit is for operations that need no caller.
	Visit(ctx context.Context, hints tenancy.Hints, origin authn.Origin) (scope.Request, error)
}

// TicketGate lets in who presents a ticket, on routes that take one.
type TicketGate interface {
	// AdmitTicket uses a ticket for an operation up; otherwise it is as Admit.
	AdmitTicket(ctx context.Context, ticket, operation string, hints tenancy.Hints, origin authn.Origin) (scope.Request, error)
}

// RunnerFunc makes the operation runner of a request.
type RunnerFunc func(scope.Request) *op.Runner

// admit lets a request through to its handler: network limit, token, tenant and
// user limit, tenant and caller, decision. All of it happens before the body is
// read, and whoever the token itself shows to be beyond a limit costs no query.
func (s *Server) admit(hc huma.Context, next func(huma.Context)) {
	ctx := hc.Context()
	d, ok := defOf(hc.Operation())
	if !ok { // Seal refuses to start with such a route; deny all the same
		s.refuse(hc, errs.ErrForbidden)
		return
	}
	info := requestOf(ctx)
	info.operation = d.Name
	nameSpan(ctx, d, hc.Operation().Path)
	bearer, asked, err := s.forestall(ctx, hc, d)
	if err != nil {
		s.refuse(hc, err)
		return
	}
	req, err := s.identify(ctx, hc, d, bearer)
	if err != nil && !req.Caller.SignedIn() {
		s.refuse(hc, err)
		return
	}
	info.scope = req
	s.share(ctx, humaecho.Unwrap(hc).Response().Header(), hc.Header("Origin"), req)
	ctx = telemetry.With(ctx, slog.String("operation", d.Name),
		slog.String("tenant", req.Tenant.Slug), slog.String("caller", req.Caller.ID.String()))
	// Before anything is recorded: refusals must not fill a trail faster than requests may come.
	if _, limited := s.limits.caller(ctx, req, asked, hc.SetHeader); limited != nil {
		s.refuse(hc, limited)
		return
	}
	aimed := d.On(hc.Param("id"))
	if err != nil {
		s.runner(req).Refuse(ctx, aimed, err)
		s.refuse(hc, err)
		return
	}
	if err := s.runner(req).Check(ctx, aimed); err != nil {
		s.refuse(hc, err)
		return
	}
	if err := saidOnce(hc.URL()); err != nil {
		s.refuse(hc, err)
		return
	}
	if hc, err = s.again(hc, d, &req); err != nil {
		s.refuse(hc, err)
		return
	}
	hc = huma.WithContext(hc, scope.With(ctx, req))
	if secret, _ := hc.Operation().Metadata[secretKey].(bool); secret {
		hc.SetHeader("Cache-Control", "no-store")
	}
	next(hc)
}

// forestall refuses whoever the token, or the address, shows to be beyond a
// limit, before anybody is asked anything. It returns what the limits were asked
// for the caller.
func (s *Server) forestall(ctx context.Context, hc huma.Context, d op.Def) (scope.Bearer, []redisx.Ask, error) {
	info := requestOf(ctx)
	if d.Guard == op.ByNobody {
		return scope.Bearer{}, nil, s.limits.network(ctx, info.origin, hc.SetHeader)
	}
	b, err := s.recognize(hc)
	if err != nil {
		return b, nil, err
	}
	if !b.Who.Caller.SignedIn() {
		if b.Token == "" && ticketOf(hc) == "" {
			return b, nil, nil
		}
		return b, nil, s.limits.proof(ctx, info.origin, hc.SetHeader)
	}
	asked, limited := s.limits.caller(ctx, b.Who, nil, hc.SetHeader)
	switch {
	case limited == nil:
		return b, asked, nil
	case s.limits.glances.due(b.Who.Tenant.ID):
		return b, nil, nil // nothing was counted: the limit is asked again, as the settings have it by then
	}
	info.scope = b.Who
	s.share(ctx, humaecho.Unwrap(hc).Response().Header(), hc.Header("Origin"), b.Who)
	return b, nil, limited
}

// recognize tells who presents a token, from the token alone; nobody where none
// is presented.
func (s *Server) recognize(hc huma.Context) (scope.Bearer, error) {
	token, err := bearer(hc.Header("Authorization"))
	if err != nil || token == "" {
		return scope.Bearer{}, err
	}
	return s.gate.Recognize(token)
}

// ticketOf is the ticket that a request presents, on a route that takes one.
func ticketOf(hc huma.Context) string {
	if ticketed, _ := hc.Operation().Metadata[ticketKey].(bool); ticketed {
		return hc.Query(ticketQuery)
	}
	return ""
}

// identify finds out who asks, and in which tenant. A caller beside an error is
// known and refused, which goes on record.
func (s *Server) identify(ctx context.Context, hc huma.Context, d op.Def, b scope.Bearer) (scope.Request, error) {
	info := requestOf(ctx)
	hints := tenancy.Hints{Header: hc.Header("X-Tenant"), Subdomain: subdomain(hc.Host(), s.baseDomain, s.ownHost)}
	if linked, _ := hc.Operation().Metadata[linkedKey].(bool); linked {
		hints.Link = hc.Query("tenant")
	}
	if d.Guard == op.ByNobody {
		return s.gate.Visit(ctx, hints, info.origin)
	}
	if b.Token != "" {
		return s.gate.Admit(ctx, b, hints, info.origin)
	}
	if ticket := ticketOf(hc); ticket != "" && s.tickets != nil {
		return s.tickets.AdmitTicket(ctx, ticket, d.Name, hints, info.origin)
	}
	return scope.Request{}, errs.ErrUnauthenticated
}

func (s *Server) refuse(hc huma.Context, err error) {
	s.problems.write(hc.Context(), humaecho.Unwrap(hc).Response(), err)
}

// bearer takes the token out of an Authorization header (RFC 6750).
func bearer(header string) (string, error) {
	if header == "" {
		return "", nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", errs.ErrUnauthenticated
	}
	return strings.TrimSpace(token), nil
}

// subdomain is the single label in front of the base domain; "" when there
// is none, or no base domain is configured. The host of the API itself may
// lie below the base domain too and names no tenant.
func subdomain(host, base, own string) string {
	if base == "" {
		return ""
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	label, ok := strings.CutSuffix(strings.ToLower(host), "."+strings.ToLower(base))
	if !ok || strings.Contains(label, ".") || strings.EqualFold(host, own) {
		return ""
	}
	return label
}

// hostOf is the host name in a URL; "" when there is none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
