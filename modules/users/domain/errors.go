package domain

import (
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/errs"
)

// The errors of this module that a person may see.
var (
	ErrInvalid         = errs.New(errs.Invalid, "users.invalid", "The request has values that are not allowed.")
	ErrNotFound        = errs.New(errs.NotFound, "users.not_found", "There is no such user.")
	ErrEmailTaken      = errs.New(errs.Conflict, "users.email_taken", "Someone in this tenant already uses this e-mail address.")
	ErrSelf            = errs.New(errs.Conflict, "users.self", "You cannot do this to your own account.")
	ErrNotInvited      = errs.New(errs.Conflict, users.CodeNotInvited, "This user has accepted an invitation already.")
	ErrNotSuspended    = errs.New(errs.Conflict, "users.not_suspended", "This user is not suspended.")
	ErrSuspended       = errs.New(errs.Conflict, "users.suspended", "This user is suspended already.")
	ErrSessionNotFound = errs.New(errs.NotFound, "users.session_not_found", "You have no such session.")
	ErrCurrentPassword = errs.New(errs.Invalid, "users.current_password", "The current password is wrong.").
				At("#/current", "is not your current password")
)

// The refusals of strangers. Each is the same for every reason, so that it
// does not tell who has an account or what became of a token.
var (
	ErrCredentials  = errs.New(errs.Unauthenticated, "users.credentials", "The e-mail address or the password is wrong, or the account is not active.")
	ErrRefreshToken = errs.New(errs.Unauthenticated, "users.refresh_token", "This refresh token is not valid. Sign in again.")
	ErrReused       = errs.New(errs.Unauthenticated, "users.refresh_reused", "This refresh token was used before, so its session has been ended. Sign in again.")
	ErrInvitation   = errs.New(errs.Unauthenticated, "users.invitation", "This invitation is not valid any more. Ask for a new one.")
)

// together joins what several rules said about one request, so that all
// wrong fields are named at once. An error that is no ErrInvalid wins.
func together(results ...error) error {
	all := *ErrInvalid
	for _, err := range results {
		if err == nil {
			continue
		}
		e, ok := errs.As(err)
		if !ok || e.Code != all.Code {
			return err
		}
		all.Fields = append(all.Fields, e.Fields...)
	}
	if len(all.Fields) == 0 {
		return nil
	}
	return &all
}
