package domain

import (
	"errors"
	"time"

	"github.com/insulahq/insula/platform/errs"
)

var (
	// ErrNotFound says that the trail has no such event.
	ErrNotFound = errs.New(errs.NotFound, "audit.event_not_found", "There is no such event in the audit trail.")
	// ErrNotSealed says that an event is too young to be proven.
	ErrNotSealed = errs.New(errs.Conflict, "audit.not_sealed", "This event is not sealed yet, which takes some seconds. Ask for its proof again.").After(5 * time.Second)
	// ErrMark refuses the id of an event that no stream sent.
	ErrMark = errs.New(errs.Invalid, "audit.last_event_id", "This is not the id of an event that the stream has sent.")
	// ErrRoot refuses a root that is no hash.
	ErrRoot = errs.New(errs.Invalid, "audit.root", "A root is 32 bytes in base64, and goes with the size of its tree.").At("query.root", "is not the root of a tree")
)

// ErrForked says that the tree in the database is not the one whose heads were
// published: it was cut or rewritten. It is for the log and for whoever is on
// call, not for callers.
var ErrForked = errors.New("the audit tree is not what was published")
