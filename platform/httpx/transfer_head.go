package httpx

import (
	"context"
	"net/http"
	"strings"
)

type headKey struct{}

// headOfContent lets HEAD reach the routes that answer with a stream: it is
// GET without the body (RFC 9110, section 9.3.2), and under the same guard.
// The server behind sends no body, because its own request is still a HEAD.
func headOfContent(r *http.Request) *http.Request {
	if r.Method != http.MethodHead || !strings.HasSuffix(r.URL.Path, "/content") {
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
