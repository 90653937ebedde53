// Package scope carries the two facts a request is made of: its tenant and
// its caller. They are the arguments of the request injector.
package scope

import (
	"context"

	"github.com/insulahq/insula/platform/authn"
	"github.com/insulahq/insula/platform/tenancy"
)

// Request is who asks, in which tenant.
type Request struct {
	Tenant tenancy.Tenant
	Caller authn.Caller
	Retry  *Retry // set when the client may send the request again
}

// Retry names a request that may come again and must take effect once.
type Retry struct {
	Key         string // the client's Idempotency-Key
	Fingerprint []byte // of operation, path and body
}

// Bearer is who presents a token, as far as the token itself tells: whether
// its session still counts nobody has been asked yet.
type Bearer struct {
	Token string
	// Who is the zero Request for a token that proves nothing before it was
	// looked for. A tenant that the process does not remember has its id alone.
	Who Request
}

type key struct{}

// With puts a request scope into ctx. Only the middleware that verified it,
// and the runner of a job, do that.
func With(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, key{}, r)
}

// From returns the request scope of ctx. Without one it is the zero Request:
// no tenant and an anonymous caller, which nothing lets in.
func From(ctx context.Context) Request {
	r, _ := ctx.Value(key{}).(Request)
	return r
}
