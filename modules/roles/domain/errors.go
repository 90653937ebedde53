package domain

import "github.com/insulahq/insula/platform/errs"

// Errors of the roles module.
var (
	ErrNotFound  = errs.New(errs.NotFound, "roles.not_found", "There is no such role.")
	ErrUnknown   = errs.New(errs.Invalid, "roles.unknown", "One of the roles does not exist in this tenant.").At("#/roles", "names a role that does not exist")
	ErrBeyondOwn = errs.New(errs.Forbidden, "roles.beyond_own", "You cannot give or take a role that holds more than you do.").At("#/roles", "changes a role that holds more than yours")
	ErrAboveYou  = errs.New(errs.Forbidden, "roles.above_you", "You cannot manage a user who holds more than you do.")
	ErrLastOwner = errs.New(errs.Conflict, "roles.last_owner", "No other owner could sign in: make somebody else an owner first.")
)
