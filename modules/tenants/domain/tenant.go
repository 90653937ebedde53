// Package domain holds the rules of the registry of tenants.
package domain

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
)

// Tenant is an entry of the registry.
type Tenant struct {
	tenants.Tenant
	AdminEmail string // who gets the first invitation
	Version    int64
	// SchemaVersion is the newest migration that its rows have had.
	SchemaVersion int64
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// View is what the trail and other modules see of a tenant.
type View struct {
	Slug   string         `json:"slug"`
	Name   string         `json:"name"`
	Kind   tenants.Kind   `json:"kind"`
	Status tenants.Status `json:"status"`
}

// View shows the tenant without its internals.
func (t Tenant) View() View {
	return View{Slug: t.Slug, Name: t.Name, Kind: t.Kind, Status: t.Status}
}

var slugRule = regexp.MustCompile(`^[a-z][a-z0-9-]{1,38}[a-z0-9]$`)

// reserved are slugs that would be mistaken for a part of the house.
var reserved = map[string]bool{"www": true, "api": true, "docs": true, "mail": true, "status": true, "console": true}

const maxName = 120

// Register makes a tenant that is still to be provisioned. It returns
// ErrInvalid naming each wrong field.
func Register(id uuid.UUID, slug, name string, kind tenants.Kind, adminEmail string, now time.Time) (Tenant, error) {
	name, adminEmail = strings.TrimSpace(name), strings.TrimSpace(adminEmail)
	invalid := ErrInvalid
	if !slugRule.MatchString(slug) || strings.Contains(slug, "--") {
		invalid = invalid.At("#/slug", "must be 3 to 40 small letters, digits and single hyphens, beginning with a letter")
	} else if reserved[slug] {
		invalid = invalid.At("#/slug", "is reserved")
	}
	if problem := nameProblem(name); problem != "" {
		invalid = invalid.At("#/name", problem)
	}
	if a, err := mail.ParseAddress(adminEmail); err != nil || a.Address != adminEmail || len(adminEmail) > 254 {
		invalid = invalid.At("#/admin_email", "must be an e-mail address")
	}
	if kind != tenants.Customer && kind != tenants.Landlord {
		invalid = invalid.At("#/kind", "must be customer or operator")
	}
	if len(invalid.Fields) > 0 {
		return Tenant{}, invalid
	}
	return Tenant{
		Tenant: tenants.Tenant{
			ID: id, Slug: slug, Name: name, Kind: kind, Status: tenants.Unfinished,
			Schema: NewSchema(id), Placement: tenants.MainPlacement,
		},
		AdminEmail: adminEmail, Version: 1, CreatedAt: now, UpdatedAt: now,
	}, nil
}

// In houses a tenant that is to be made in a placement, in the main one unless
// one is named. It returns ErrNoPlacement for one that is not known.
func (t Tenant) In(placement string, known Houses) (Tenant, error) {
	if placement == "" {
		return t, nil
	}
	if !slices.Contains(known, placement) {
		return t, ErrNoPlacement
	}
	t.Placement = placement
	return t, nil
}

// Made reports whether a tenant that is being made has its rows already.
func (t Tenant) Made() bool { return t.SchemaVersion > 0 }

func nameProblem(name string) string {
	switch {
	case name == "":
		return "is required"
	case utf8.RuneCountInString(name) > maxName:
		return "must have at most 120 characters"
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "must not have control characters"
	}
	return ""
}

// Rename gives the tenant another name.
func (t Tenant) Rename(name string, now time.Time) (Tenant, error) {
	name = strings.TrimSpace(name)
	if problem := nameProblem(name); problem != "" {
		return t, ErrInvalid.At("#/name", problem)
	}
	t.Name, t.UpdatedAt = name, now
	return t, nil
}

// Suspend takes an active tenant out of service.
func (t Tenant) Suspend(now time.Time) (Tenant, error) {
	if t.Kind == tenants.Landlord {
		return t, ErrLandlord
	}
	return t.move(tenants.Active, tenants.Suspended, now)
}

// Resume puts a suspended tenant back into service.
func (t Tenant) Resume(now time.Time) (Tenant, error) {
	return t.move(tenants.Suspended, tenants.Active, now)
}

func (t Tenant) move(from, to tenants.Status, now time.Time) (Tenant, error) {
	if t.Status != from {
		return t, ErrStatus
	}
	t.Status, t.UpdatedAt = to, now
	return t, nil
}
