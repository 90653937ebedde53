package domain

import (
	"cmp"
	"encoding/hex"
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
)

// CopyKind is a way of copying a tenant.
type CopyKind string

// The ways.
const (
	CopyOut   CopyKind = "backup"  // into an archive
	CopyIn    CopyKind = "restore" // of an archive into a new tenant
	CopyOver  CopyKind = "replace" // of an archive into the tenant that it is of
	CopyClone CopyKind = "clone"   // into a new tenant
	CopyMove  CopyKind = "move"    // of a tenant to another placement
)

// OperationKind names the long operation for clients.
func (k CopyKind) OperationKind() string {
	if k == CopyOver {
		k = CopyIn
	}
	return "tenants." + string(k)
}

// CopyStep says what is left to do.
type CopyStep string

// The steps. What is interrupted while copying begins anew; after that all is
// decided, and what is left is to take something away.
const (
	Copying  CopyStep = "copying"
	Cleaning CopyStep = "cleaning" // it succeeded: the old schema goes
	Undoing  CopyStep = "undoing"  // it failed: what it has made goes
	Over     CopyStep = "over"
)

// Copy is the work of a long operation that copies a tenant.
type Copy struct {
	Operation uuid.UUID
	Kind      CopyKind
	Step      CopyStep
	Backup    *uuid.UUID // nil for a clone
	Source    uuid.UUID  // the tenant whose rows they are
	Target    uuid.UUID  // the tenant that gets them
	Schema    string     // that is being made; empty for a backup
	OldSchema string     // that it takes the place of
	From      string     // placement that a move leaves
	To        string     // placement that a move leads to, or in which the schema is made
	// Attempts counts who worked on it. The last one alone may go on: whoever
	// began before has lost it, alive or not.
	Attempts int
	Begun    time.Time // it was asked for
}

const (
	// maxAttempts is how often a copy is begun at least, by however many processes,
	maxAttempts = 40
	// patience is how long they try at least: what is away for longer fails it.
	patience = 10 * time.Minute
)

// Hopeless reports whether an attempt that failed because something was away is
// to be the last.
func (c Copy) Hopeless(now time.Time) bool {
	return c.Attempts >= maxAttempts && now.Sub(c.Begun) >= patience
}

// NewSchema is the name of a schema for a tenant: that of the tenant's id for
// its first one, of another for one that takes the place of it.
func NewSchema(id uuid.UUID) string { return "t_" + hex.EncodeToString(id[:]) }

// Backing is the copy that makes a backup.
func Backing(operation uuid.UUID, b Backup) Copy {
	return Copy{Operation: operation, Kind: CopyOut, Step: Copying, Backup: &b.ID, Source: b.TenantID, Target: b.TenantID}
}

// Founding is the copy that makes a new tenant of an archive.
func Founding(operation uuid.UUID, b Backup, t Tenant) Copy {
	return Copy{
		Operation: operation, Kind: CopyIn, Step: Copying, Backup: &b.ID, Source: b.TenantID, Target: t.ID, Schema: t.Schema, To: t.Home(),
	}
}

// Replacing is the copy that puts a tenant back to what an archive has; schema
// is the id of the schema to make.
func Replacing(operation uuid.UUID, b Backup, t Tenant, schema uuid.UUID) (Copy, error) {
	if err := t.copyable(); err != nil {
		return Copy{}, err
	}
	return Copy{
		Operation: operation, Kind: CopyOver, Step: Copying, Backup: &b.ID, Source: b.TenantID, Target: t.ID,
		Schema: NewSchema(schema), OldSchema: t.Schema, To: t.Home(),
	}, nil
}

// Cloning is the copy that makes a new tenant of another.
func Cloning(operation uuid.UUID, from, t Tenant) (Copy, error) {
	if err := from.copyable(); err != nil {
		return Copy{}, err
	}
	return Copy{
		Operation: operation, Kind: CopyClone, Step: Copying, Source: from.ID, Target: t.ID, Schema: t.Schema, To: t.Home(),
	}, nil
}

// Beside returns ErrBusy when a copy of a tenant's rows, or over them, may not
// begin while the others of that tenant are under way. The rows may be read by
// many, but not while they are being replaced, or go elsewhere.
func (k CopyKind) Beside(others []CopyKind) error {
	for _, o := range others {
		switch {
		case o == CopyIn, k == CopyIn: // works with an archive and a tenant of its own
		case o == CopyOver, k == CopyOver, o == CopyMove, k == CopyMove, o == CopyOut && k == CopyOut:
			return ErrBusy
		}
	}
	return nil
}

// New reports whether the target exists only for the copy.
func (c Copy) New() bool { return c.Kind == CopyIn || c.Kind == CopyClone }

// House is the placement in which it makes a schema.
func (c Copy) House() string { return cmp.Or(c.To, tenants.MainPlacement) }

// Elsewhere reports whether the registry is in another database than the schema
// that it makes, and follows what is decided there.
func (c Copy) Elsewhere() bool { return c.Kind != CopyMove && c.House() != tenants.MainPlacement }
