// Package tenancy says which tenant a request is for.
//
// The tenant of a request is the tid claim of its verified token. A header or
// host name is only a hint: it decides alone where no token exists, otherwise
// it must agree. What a tenant is allowed right now is not decided here but
// at the wall, by each unit of work (package pg).
package tenancy

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/platform/errs"
)

// Kind tells the landlord from everybody else.
type Kind string

// The kinds of tenant.
const (
	Customer Kind = "customer"
	Landlord Kind = "operator" // the one whose roles may hold tenants.* operations
)

// Status is where a tenant is in its life.
type Status string

// The statuses. Only an active tenant is served; a suspended one keeps its
// trail of refusals; the others do not exist for outsiders.
const (
	Provisioning Status = "provisioning"
	Active       Status = "active"
	Suspended    Status = "suspended"
	Deleting     Status = "deleting" // can be brought back until its grace is over
	Erasing      Status = "erasing"
	Erased       Status = "erased"
)

// Tenant is what a request must know of its tenant. It may be seconds old:
// status is checked again by the statement that opens each unit of work.
type Tenant struct {
	ID     uuid.UUID
	Slug   string
	Name   string
	Kind   Kind
	Status Status
	Schema string // its PostgreSQL schema and database role, from the control table
	// Placement is the database that houses it; empty is the main one.
	Placement string
}

// MainPlacement is the name of the database that has the registry of all
// tenants and those tenants that are nowhere else.
const MainPlacement = "main"

// Home is the name of the database that houses the tenant.
func (t Tenant) Home() string { return cmp.Or(t.Placement, MainPlacement) }

// Errors of tenant resolution. Unknown covers every tenant that outsiders
// must not learn about.
var (
	ErrUnknown   = errs.New(errs.NotFound, "tenant_unknown", "There is no such tenant.")
	ErrSuspended = errs.New(errs.Forbidden, "tenant_suspended", "This tenant is suspended.")
	// ErrOutdated: the tenant's schema is too old for this server, or the server too new. A fleet migration is under
	// way, or this tenant's has failed; either takes minutes rather than seconds.
	ErrOutdated = errs.New(errs.Unavailable, "tenant_outdated", "This tenant is being brought to a newer version. Try again shortly.").After(30 * time.Second)
	// ErrUnplaced: the registry names a database that this process was not told of, as while nodes are being restarted
	// with a new one.
	ErrUnplaced = errs.New(errs.Unavailable, "tenant_unplaced", "The database of this tenant is not known here. Try again shortly.").After(30 * time.Second)
	// ErrBusy: the tenant has used up its share of what all have.
	ErrBusy      = errs.New(errs.Unavailable, "tenant_busy", "This tenant has more work under way and waiting than it may have. Try again shortly.").After(time.Second)
	ErrMismatch  = errs.New(errs.Forbidden, "tenant_mismatch", "The token belongs to another tenant than the one the request names.")
	ErrRequired  = errs.New(errs.Malformed, "tenant_required", "Name the tenant: send the X-Tenant header or use the tenant's own host name.")
	ErrAmbiguous = errs.New(errs.Malformed, "tenant_ambiguous", "The X-Tenant header, the host name and the link mean different tenants.")
)

// Directory finds tenants. Both methods return ErrUnknown for a tenant that
// does not exist or no longer does.
type Directory interface {
	ByID(ctx context.Context, id uuid.UUID) (Tenant, error)
	BySlug(ctx context.Context, slug string) (Tenant, error)
}

// Hints are what a request says about its tenant without proof. Empty means
// not said.
type Hints struct {
	Header    string // X-Tenant: <slug>
	Subdomain string // the label in front of the configured base domain
	Link      string // what a link that somebody was given says
}

func (h Hints) slug() (string, error) {
	slug := ""
	for _, said := range []string{h.Header, h.Subdomain, h.Link} {
		switch {
		case said == "" || said == slug:
		case slug == "":
			slug = said
		default:
			return "", ErrAmbiguous
		}
	}
	return slug, nil
}

// FromToken finds the tenant a verified token names and checks that the hints
// agree. On ErrMismatch and ErrAmbiguous the tenant is returned too, so that
// the refusal can be recorded in its trail.
func FromToken(ctx context.Context, dir Directory, tid uuid.UUID, h Hints) (Tenant, error) {
	t, err := dir.ByID(ctx, tid)
	if err != nil {
		return Tenant{}, err
	}
	slug, err := h.slug()
	if err != nil {
		return t, err
	}
	if slug != "" && slug != t.Slug {
		return t, ErrMismatch
	}
	return t, nil
}

// FromHints finds the tenant where no token exists: sign-in, refresh,
// invitation and reset. It returns ErrRequired when nothing was said.
func FromHints(ctx context.Context, dir Directory, h Hints) (Tenant, error) {
	slug, err := h.slug()
	if err != nil {
		return Tenant{}, err
	}
	if slug == "" {
		return Tenant{}, ErrRequired
	}
	return dir.BySlug(ctx, slug)
}
