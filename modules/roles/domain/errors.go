package domain

import (
	"strings"

	"github.com/insulahq/insula/platform/errs"
)

// Errors of the roles module.
var (
	ErrNotFound  = errs.New(errs.NotFound, "roles.not_found", "There is no such role.")
	ErrUnknown   = errs.New(errs.Invalid, "roles.unknown", "One of the roles does not exist in this tenant.").At("#/roles", "names a role that does not exist")
	ErrBeyondOwn = errs.New(errs.Forbidden, "roles.beyond_own", "You cannot give or take a role that holds more than you do.").At("#/roles", "changes a role that holds more than yours")
	ErrAboveYou  = errs.New(errs.Forbidden, "roles.above_you", "You cannot manage a user who holds more than you do.")
	ErrLastOwner = errs.New(errs.Conflict, "roles.last_owner", "No other owner could sign in: make somebody else an owner first.")
	ErrExpiry    = errs.New(errs.Invalid, "roles.expiry", "A role can end only in the future, and only one that is given.").At("#/ends", "names a role that is not given, or an instant that is over")

	ErrInvalid     = errs.New(errs.Invalid, "roles.invalid", "The role or permission has values that are not allowed.")
	ErrNameTaken   = errs.New(errs.Conflict, "roles.name_taken", "Another role of this tenant has this name.")
	ErrBuiltIn     = errs.New(errs.Conflict, "roles.built_in", "A role that comes with the product cannot be changed or deleted.")
	ErrBeyondYou   = errs.New(errs.Forbidden, "roles.beyond_you", "You cannot make, change or delete a role that holds more than you do.")
	ErrTooMany     = errs.New(errs.Conflict, "roles.too_many", "The tenant has as many roles as it can have.")
	ErrInUse       = errs.New(errs.Conflict, "roles.in_use", "Users or other roles have this role: name one that takes its place with replace_with.")
	ErrReplacement = errs.New(errs.Invalid, "roles.replacement", "The role that is to take the place is not there.").At("query.replace_with", "must be another role of this tenant")
	errCycle       = errs.New(errs.Conflict, "roles.cycle", "The role would inherit from itself.")

	ErrPermissionTaken    = errs.New(errs.Conflict, "permissions.taken", "There is a permission of this name already.")
	ErrPermissionNotFound = errs.New(errs.NotFound, "permissions.not_found", "The tenant has no such permission of its own.")
	ErrPermissionInUse    = errs.New(errs.Conflict, "permissions.in_use", "A role names this permission: take it from there first.")
	ErrTooManyPermissions = errs.New(errs.Conflict, "permissions.too_many", "The tenant has as many permissions of its own as it can have.")

	ErrOthers = errs.New(errs.Forbidden, "authz.others", "You may ask about yourself only.").At("#/checks", "asks about another user or about a key, which needs the permission authz.explain")
)

// cycle is the error that names the circle of roles that would come to be.
func cycle(path []string) error {
	e := *errCycle
	e.Detail = "The role would inherit from itself: " + strings.Join(path, " > ") + "."
	return e.At("#/parents", "lead back to the role")
}

// ErrCycle is the error of every circle of roles, for comparison.
var ErrCycle = errCycle
