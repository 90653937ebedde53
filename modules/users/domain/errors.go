package domain

import (
	"github.com/insulahq/insula/modules/users"
	"github.com/insulahq/insula/platform/errs"
)

// The errors of this module that a person may see.
var (
	ErrInvalid          = errs.New(errs.Invalid, "users.invalid", "The request has values that are not allowed.")
	ErrNotFound         = errs.New(errs.NotFound, "users.not_found", "There is no such user.")
	ErrEmailTaken       = errs.New(errs.Conflict, "users.email_taken", "Someone in this tenant already uses this e-mail address.")
	ErrSelf             = errs.New(errs.Conflict, "users.self", "You cannot do this to your own account.")
	ErrNotInvited       = errs.New(errs.Conflict, users.CodeNotInvited, "This user has accepted an invitation already.")
	ErrNotSuspended     = errs.New(errs.Conflict, "users.not_suspended", "This user is not suspended.")
	ErrSuspended        = errs.New(errs.Conflict, "users.suspended", "This user is suspended already.")
	ErrSessionNotFound  = errs.New(errs.NotFound, "users.session_not_found", "You have no such session.")
	ErrCurrentPassword  = errs.New(errs.Invalid, "users.current_password", "The current password is wrong.")
	ErrSecondFactorSet  = errs.New(errs.Conflict, "users.second_factor_set", "Your account has a second factor already. Remove it first.")
	ErrNoSecondFactor   = errs.New(errs.Conflict, "users.no_second_factor", "There is no second factor to confirm or remove. Set one up first.")
	ErrShortPassword    = errs.New(errs.Conflict, "users.short_password", "Your password is too short to stand alone. Choose one of 15 characters first.")
	ErrSecondFactorKept = errs.New(errs.Conflict, "users.second_factor_required", "Everybody in this tenant needs a second factor.")
	ErrCode             = errs.New(errs.Invalid, "users.code", "The code is wrong or was used before.").At("#/code", "is wrong or was used before")
	ErrKeyNotFound      = errs.New(errs.NotFound, "users.api_key_not_found", "There is no such API key.")
	ErrKeyBeyondOwn     = errs.New(errs.Forbidden, "users.api_key_beyond_own", "You cannot give a key more than you hold yourself.")
	ErrKeyByKey         = errs.New(errs.Forbidden, "users.api_key_by_key", "Only a person can make API keys.")
	ErrTicketByKey      = errs.New(errs.Forbidden, "users.ticket_by_key", "Only a person who is signed in can get a ticket; a program sends its key.")
	ErrThrottled        = errs.New(errs.RateLimited, "users.throttled", "Too many attempts have failed. Wait before trying again.")
)

// The refusals of strangers. Each is the same for every reason, so that it
// does not tell who has an account or what became of a token.
var (
	ErrCredentials  = errs.New(errs.Unauthenticated, "users.credentials", "The e-mail address or the password is wrong, or the account is not active.")
	ErrRefreshToken = errs.New(errs.Unauthenticated, "users.refresh_token", "This refresh token is not valid. Sign in again.")
	ErrReused       = errs.New(errs.Unauthenticated, "users.refresh_reused", "This refresh token was used before, so its session has been ended. Sign in again.")
	ErrReset        = errs.New(errs.Unauthenticated, "users.reset_token", "This link is not valid any more. Ask for a new one.")
	ErrEmailToken   = errs.New(errs.Unauthenticated, "users.email_token", "This link is not valid any more. Ask for a new one.")
	ErrChallenge    = errs.New(errs.Unauthenticated, "users.challenge", "This sign-in took too long or was overtaken by a change. Sign in again.")
	ErrSecondFactor = errs.New(errs.Unauthenticated, "users.second_factor", "The code is wrong or was used before.")
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
