// Package authn says who is asking.
package authn

import (
	"net/netip"
	"slices"

	"github.com/google/uuid"
)

// Kind says what sort of principal a caller is.
type Kind string

// The kinds of principal. There is no super-user: a job holds the operations
// it is named for and nothing else.
const (
	Anonymous Kind = "anonymous"
	User      Kind = "user"
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
	Origin  Origin
}

// Origin is where a request came from, as far as it can be believed.
type Origin struct {
	RequestID string
	Addr      netip.Addr // the client's address, after trusted proxies only
	Client    string     // User-Agent, cut to a sane length
}

// SignedIn reports whether the caller is somebody.
func (c Caller) SignedIn() bool { return c.Kind != "" && c.Kind != Anonymous }

// Grants is an immutable set of operation names with the role each came from.
// It may be shared by many requests.
type Grants struct {
	roles []string
	from  map[string]string
}

// NewGrants makes a set from operation name -> granting role. The map is
// owned by the Grants afterwards.
func NewGrants(roles []string, from map[string]string) *Grants {
	return &Grants{roles: slices.Clone(roles), from: from}
}

// Role returns the role that grants an operation, and whether any does.
func (g *Grants) Role(operation string) (string, bool) {
	if g == nil {
		return "", false
	}
	role, ok := g.from[operation]
	return role, ok
}

// Roles lists the names of the roles behind the set.
func (g *Grants) Roles() []string {
	if g == nil {
		return nil
	}
	return slices.Clone(g.roles)
}

// Covers reports whether g holds every operation that other holds.
func (g *Grants) Covers(other *Grants) bool {
	if other == nil {
		return true
	}
	for name := range other.from {
		if _, ok := g.Role(name); !ok {
			return false
		}
	}
	return true
}

// Len is the number of operations held.
func (g *Grants) Len() int {
	if g == nil {
		return 0
	}
	return len(g.from)
}
