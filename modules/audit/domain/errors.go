package domain

import "github.com/insulahq/insula/platform/errs"

// ErrNotFound says that the trail has no such event.
var ErrNotFound = errs.New(errs.NotFound, "audit.event_not_found", "There is no such event in the audit trail.")
