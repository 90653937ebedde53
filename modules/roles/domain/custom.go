package domain

import (
	"regexp"
	"time"
)

// Custom is a permission that is no operation: the product's own, known from
// the configuration, or a tenant's own. Insula answers whether somebody holds
// it and does nothing else with it.
type Custom struct {
	Name    string // "billing.refund"
	Summary string
	// OwnerToo allows it to who owns the thing in question, held or not.
	OwnerToo  bool
	CreatedAt time.Time // zero for the product's own
}

// MaxCustom is how many permissions a tenant can have of its own.
const MaxCustom = 500

var customName = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,3}$`)

const (
	maxCustomName = 100
	maxSummary    = 500
)

// Acceptable returns ErrInvalid unless the permission can stand beside the
// operations of the binary: its name must not begin like one, so that it can
// never be taken for one, now or of a later version (see reserved).
func (c *Catalogue) Acceptable(p Custom) error {
	var name, summary error
	switch {
	case len(p.Name) > maxCustomName || !customName.MatchString(p.Name):
		name = ErrInvalid.At("#/name", "must be two to four lower-case words joined by dots, such as billing.refund")
	case c.belongsToBinary(p.Name):
		name = ErrInvalid.At("#/name", "begins with a word that belongs to the system")
	}
	if n := len([]rune(p.Summary)); n == 0 || n > maxSummary {
		summary = ErrInvalid.At("#/summary", "must have between 1 and 500 characters")
	}
	return together(name, summary)
}

// Register makes a permission of the tenant's own. It returns ErrInvalid,
// ErrPermissionTaken and ErrTooManyPermissions.
func (p *Policy) Register(c Custom, now time.Time) (Custom, error) {
	c.CreatedAt = now
	if err := p.catalogue.Acceptable(c); err != nil {
		return c, err
	}
	if _, known := p.names.Find(c.Name); known {
		return c, ErrPermissionTaken
	}
	if p.catalogue.belongsToProduct(c.Name) {
		return c, ErrInvalid.At("#/name", "begins with a word that belongs to the product")
	}
	if len(p.own) >= MaxCustom {
		return c, ErrTooManyPermissions
	}
	return c, nil
}

// Withdraw finds a permission of the tenant's own that can go. It returns
// ErrPermissionNotFound, and ErrPermissionInUse while a role names it.
func (p *Policy) Withdraw(name string) (Custom, error) {
	c, known := p.own[name]
	if !known {
		return c, ErrPermissionNotFound
	}
	for _, n := range p.nodes {
		for _, entry := range n.role.CustomPermissions {
			if entry == name {
				return c, ErrPermissionInUse
			}
		}
	}
	return c, nil
}

// CustomView is what the trail keeps of a permission.
type CustomView struct {
	Name     string `json:"name"`
	Summary  string `json:"summary"`
	OwnerToo bool   `json:"owner_too"`
}

// View shows the permission to the trail.
func (c Custom) View() CustomView {
	return CustomView{Name: c.Name, Summary: c.Summary, OwnerToo: c.OwnerToo}
}

// Product lists the product's own permissions.
func (p *Policy) Product() []Custom { return p.catalogue.product }

// Custom finds a permission of the product or of the tenant.
func (p *Policy) Custom(name string) (Custom, bool) {
	if own, known := p.own[name]; known {
		return own, true
	}
	for _, c := range p.catalogue.product {
		if c.Name == name {
			return c, true
		}
	}
	return Custom{}, false
}
