package domain

import (
	"fmt"

	"github.com/google/uuid"
)

// What can be wrong with a trail.
const (
	Changed = "changed" // a record is not what was sealed
	Missing = "missing" // a sealed record is gone
	Cut     = "cut"     // the newest records are gone
	Added   = "added"   // a record was put in behind the seals
	Broken  = "broken"  // the seals themselves do not fit together
	Forged  = "forged"  // a head is not signed with the tenant's key
)

// Finding is the first thing that does not fit in a trail.
type Finding struct {
	Kind   string
	Number int64      // of the first record that does not fit
	Event  *uuid.UUID // that record, where it is known
	Detail string     // a sentence for people
}

// Error implements error.
func (f *Finding) Error() string {
	if f.Event == nil {
		return fmt.Sprintf("record %d: %s: %s", f.Number, f.Kind, f.Detail)
	}
	return fmt.Sprintf("record %d (%s): %s: %s", f.Number, f.Event, f.Kind, f.Detail)
}

// Report is what a check of a trail found.
type Report struct {
	Finding   *Finding // nil when everything fits
	Size      int64    // records that were recomputed or, when removed, counted
	Removed   int64    // of them, the oldest, which retention has removed
	Unsealed  int64    // records that are not part of the tree yet
	Heads     int      // signed heads that the records were held against
	Head      string   // the newest of them; a signed note
	PublicKey string   // that checks it
}
