// Package authn says who is asking.
package authn

import (
	"net/netip"

	"github.com/google/uuid"
)

// Kind says what sort of principal a caller is.
type Kind string

// The kinds of principal. There is no super-user: a job holds the operations
// it is named for and nothing else.
const (
	Anonymous Kind = "anonymous"
	User      Kind = "user"
	APIKey    Kind = "api_key" // a user's key: the user, within the scope of the key
	Job       Kind = "job"
	Operator  Kind = "operator" // a person at the command line of the binary
)

// Caller is a principal and where it calls from. The zero value is an
// anonymous caller that holds nothing.
type Caller struct {
	Kind    Kind
	ID      uuid.UUID // the user; uuid.Nil when there is none
	Label   string    // e-mail address or job name, for people who read the trail
	Session uuid.UUID // the session behind the token; uuid.Nil when there is none
	Grants  *Grants   // what it may do; nil means nothing
	Policy  int64     // version of the tenant's roles that Grants follow from
	// Confined says that the user must set up a second factor before anything
	// that takes a permission: Grants are empty until then.
	Confined bool
	Origin   Origin
}

// Origin is where a request came from, as far as it can be believed.
type Origin struct {
	RequestID string
	Addr      netip.Addr // the client's address, after trusted proxies only
	Client    string     // User-Agent, cut to a sane length
}

// SignedIn reports whether the caller is somebody.
func (c Caller) SignedIn() bool { return c.Kind != "" && c.Kind != Anonymous }
