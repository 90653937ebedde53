package domain

import (
	"time"

	"github.com/google/uuid"
)

// Holding is a role that a user has.
type Holding struct {
	Role  uuid.UUID
	Until time.Time // when it ends; zero when it does not
}

// Standing is which roles users have now, and what these give.
type Standing struct {
	Policy *Policy
	Held   map[uuid.UUID][]Holding
}

// Reason is why a user holds a permission.
type Reason struct {
	Trace
	Until time.Time // when the role behind it ends; zero when it does not
}

// Role is the role that gives the permission.
func (r Reason) Role() string { return r.Path[0] }

// Why finds the role by which a user holds a permission. Of several it is the
// first by name, which is the one that decisions name.
func (s Standing) Why(user uuid.UUID, permission string) (Reason, bool) {
	var found Reason
	held := false
	for _, h := range s.Held[user] {
		trace, gives := s.Policy.Trace(h.Role, permission)
		if gives && (!held || trace.Path[0] < found.Path[0]) {
			found, held = Reason{Trace: trace, Until: h.Until}, true
		}
	}
	return found, held
}

// Roles names the roles that a user has, sorted.
func (s Standing) Roles(user uuid.UUID) []string {
	names := []string{}
	for _, h := range s.Held[user] {
		if r, there := s.Policy.Find(h.Role); there {
			names = append(names, r.Name)
		}
	}
	return tidy(names)
}
