package httpx

import (
	"context"
	"net/http"
	"strings"
)

type headKey struct{}

// getForHead lets HEAD reach every route that answers GET: it is GET without
// the body (RFC 9110, section 9.3.2), and under the same guard. The server
// behind sends no body, because its own request is still a HEAD.
func getForHead(r *http.Request) *http.Request {
	if r.Method != http.MethodHead {
		return r
	}
	get := r.WithContext(context.WithValue(r.Context(), headKey{}, true))
	get.Method = http.MethodGet
	return get
}

// IsHead reports whether the client wants everything but the body.
func IsHead(ctx context.Context) bool {
	head, _ := ctx.Value(headKey{}).(bool)
	return head
}

// methodOf is the method that the client sent.
func methodOf(r *http.Request) string {
	if IsHead(r.Context()) {
		return http.MethodHead
	}
	return r.Method
}

// allowHead names HEAD beside GET in an Allow header: Echo knows its routes,
// and not that those of GET answer both.
func allowHead(h http.Header) {
	if allow := h.Get("Allow"); strings.Contains(allow, http.MethodGet) {
		h.Set("Allow", allow+", "+http.MethodHead)
	}
}
