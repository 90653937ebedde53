package httpx

import (
	"context"
	"log/slog"
	"net/netip"

	"github.com/labstack/echo/v4"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/scope"
)

// request is what the house knows of a request while it passes: the outer
// layers make it, the inner ones fill it in, the log line at the end reads it.
type request struct {
	id        string
	origin    authn.Origin
	operation string
	problem   string // code of the problem it is answered with; empty when it went well
	scope     scope.Request
	log       *slog.Logger
}

type requestKey struct{}

func withRequest(ctx context.Context, r *request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// requestOf never returns nil: outside a request it is an empty one.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// maxClient bounds the User-Agent that is kept.
const maxClient = 200

func originOf(c echo.Context, requestID string) authn.Origin {
	client := c.Request().UserAgent()
	if len(client) > maxClient {
		client = client[:maxClient]
	}
	addr, _ := netip.ParseAddr(c.RealIP()) // the zero Addr when it is none
	return authn.Origin{RequestID: requestID, Addr: addr.Unmap(), Client: client}
}
