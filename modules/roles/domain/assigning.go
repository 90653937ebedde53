package domain

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Reassignment is what changes when a user is to have other roles.
type Reassignment struct {
	Added   []Holding   // to give, or to give another end
	Removed []uuid.UUID // to take, those that have ended too
	Touched []uuid.UUID // roles that somebody is given or loses by it
	lost    []uuid.UUID // roles held for good, which the user will not keep for good
}

// ChangeOf compares the roles that a user has, ended ones among them, with
// those the user is to have.
func ChangeOf(has, wanted []Holding, now time.Time) Reassignment {
	var c Reassignment
	for _, w := range wanted {
		if !slices.ContainsFunc(has, func(h Holding) bool { return h.Role == w.Role && h.Until.Equal(w.Until) }) {
			c.Added = append(c.Added, w)
			c.Touched = append(c.Touched, w.Role)
		}
	}
	for _, h := range has {
		i := slices.IndexFunc(wanted, func(w Holding) bool { return w.Role == h.Role })
		if i < 0 {
			c.Removed = append(c.Removed, h.Role)
			if h.Until.IsZero() || h.Until.After(now) {
				c.Touched = append(c.Touched, h.Role)
			}
		}
		if h.Until.IsZero() && (i < 0 || !wanted[i].Until.IsZero()) {
			c.lost = append(c.lost, h.Role)
		}
	}
	return c
}

// LosesOwner reports whether somebody will no longer own the tenant for good.
func (p *Policy) LosesOwner(c Reassignment) bool {
	return slices.ContainsFunc(c.lost, func(id uuid.UUID) bool {
		r, there := p.Find(id)
		return there && isOwner(r)
	})
}
