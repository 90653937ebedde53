package domain

import (
	"time"

	"github.com/google/uuid"

	"github.com/insulahq/insula/modules/tenants"
)

// EraseKind is the kind of the operation that erases a tenant.
const EraseKind = "tenants.erase"

// ErasureState is how far an erasure has come.
type ErasureState string

// The states of an erasure.
const (
	ErasureBegun   ErasureState = "begun"   // nothing is removed yet
	ErasureCounted ErasureState = "counted" // what there was is known, and is being removed
	Erased         ErasureState = "erased"  // all is gone; objects that came late are still to be looked for
)

// Holdings is what there is of a tenant.
type Holdings struct {
	Tables        int64 `json:"tables"`
	Rows          int64 `json:"rows"`
	DatabaseBytes int64 `json:"database_bytes"`
	Objects       int64 `json:"objects"`
	ObjectBytes   int64 `json:"object_bytes"`
	Jobs          int64 `json:"jobs"`         // in the job queue
	ControlRows   int64 `json:"control_rows"` // of the control schema, the tenant's entry in the registry among them
}

// Erasure is a tenant that is being erased, or was a short while ago. It knows
// the tenant by itself: the registry does not any more in the end.
type Erasure struct {
	Tenant    uuid.UUID
	Operation uuid.UUID
	Slug      string
	Schema    string
	Placement string // where its rows are
	State     ErasureState
	Holdings  Holdings
	BegunAt   time.Time
	LookAgain time.Time // zero until the state is Erased
}

// LateObjects is how long after an erasure its objects are looked at once
// more: the longest time for which a link to store one can have been handed
// out before.
const LateObjects = 2 * time.Hour

// Erase takes a deleted tenant to where nobody can bring it back. Who asks for
// it names the slug, so that an id in the wrong place erases nobody.
func (t Tenant) Erase(slug string, now time.Time) (Tenant, error) {
	if t.Kind == tenants.Landlord {
		return t, ErrLandlord
	}
	if t.Status != tenants.Deleting {
		return t, ErrNotDeleted
	}
	if slug != t.Slug {
		return t, ErrOtherSlug
	}
	t.Status, t.UpdatedAt = tenants.Erasing, now
	return t, nil
}

// Expire is Erase for a deleted tenant whose grace is over: nobody asks for
// it. It returns ErrNotDeleted when it is not over yet.
func (t Tenant) Expire(d Deletion, now time.Time) (Tenant, error) {
	if now.Before(d.EraseAfter) {
		return t, ErrNotDeleted
	}
	return t.Erase(t.Slug, now)
}
