// Package domain has the rules of roles: what the built-in ones hold, and who
// may hand a role on. It speaks of operations by what matters to a role, so
// that it stands on nothing.
package domain

import (
	"time"

	"github.com/google/uuid"
)

// Role is a named set of operations that users of the tenant can have.
type Role struct {
	ID          uuid.UUID
	Name        string // unique in the tenant
	Description string
	BuiltIn     bool // what it holds follows from a rule, not from Permissions
	// Permissions are the operations that somebody chose. A name that the
	// binary does not know stands here but grants nothing.
	Permissions []string
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}
